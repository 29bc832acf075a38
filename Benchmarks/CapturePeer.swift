// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import TestSupport

/// A command that captures on an interface until it is interrupted, and says then how many packets it has.
struct CapturePeer {
    var name: String
    var arguments: [String]
    /// It puts a program on the interface.
    var hasProgram = true

    /// What it did in one run.
    struct Result {
        var captured: Int
        /// Seconds on a processor, user and system.
        var processor: Double
        /// Bytes in memory at the most.
        var peakMemory: Double
    }

    /// ours, xdpdump and tcpdump, as far as they are installed.
    static func all(_ settings: Settings, on interface: String) -> [CapturePeer] {
        [
            CapturePeer(
                name: "xdpctl capture",
                arguments: [settings.command, "capture", interface, "-w", "/dev/null"]),
            CapturePeer(
                name: "xdpdump",
                arguments: ["xdpdump", "-i", interface, "--load-xdp-program", "-w", "/dev/null"]),
            CapturePeer(
                name: "tcpdump", arguments: ["tcpdump", "-i", interface, "-n", "-w", "/dev/null"],
                hasProgram: false),
        ]
    }

    /// Runs it on one CPU while `body` sends.
    func run(on processor: Int, _ body: () throws -> Void) throws -> Result {
        var channel: [Int32] = [0, 0]
        guard pipe(&channel) == 0 else { throw BenchmarkError("pipe: errno \(errno)") }
        defer { close(channel[0]) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, channel[1], 1)
        posix_spawn_file_actions_adddup2(&actions, channel[1], 2)
        posix_spawn_file_actions_addclose(&actions, channel[0])
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let failure = try OnProcessor.run(processor) {
            posix_spawnp(&child, arguments[0], &actions, nil, &words, environ)
        }
        close(channel[1])
        guard failure == 0 else { throw BenchmarkError("\(arguments[0]): errno \(failure)") }
        // All three are ready within a fraction of that, also with a CPU that they share.
        usleep(700_000)
        var outcome: Swift.Result<Void, Error> = .success(())
        do { try body() } catch { outcome = .failure(error) }
        // Until everything is read; the slowest of them looks every second.
        usleep(1_200_000)
        let peak = Self.peakMemory(of: child)
        kill(child, SIGINT)
        let text = Self.text(from: channel[0])
        var status: Int32 = 0
        var usage = rusage()
        while wait4(child, &status, 0, &usage) < 0 {
            guard errno == EINTR else { throw BenchmarkError("wait4: errno \(errno)") }
        }
        try outcome.get()
        guard let captured = Self.captured(in: text) else {
            throw BenchmarkError("\(arguments[0]) does not say what it captured: \(text)")
        }
        return Result(
            captured: captured,
            processor: Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime), peakMemory: peak)
    }

    /// "1200 packets captured", with or without something between the thousands.
    private static func captured(in text: String) -> Int? {
        for line in text.split(separator: "\n") where line.contains("captured") {
            guard let end = line.firstRange(of: " packet")?.lowerBound else { continue }
            let digits = line[..<end].unicodeScalars.filter { ("0"..."9").contains($0) }
            if let number = Int(String(String.UnicodeScalarView(digits))) { return number }
        }
        return nil
    }

    private static func text(from channel: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(channel, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func peakMemory(of process: pid_t) -> Double {
        guard let file = fopen("/proc/\(process)/status", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            guard text.hasPrefix("VmHWM:") else { continue }
            return (Double(text.split(whereSeparator: \.isWhitespace)[1]) ?? 0) * 1024
        }
        return 0
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }
}

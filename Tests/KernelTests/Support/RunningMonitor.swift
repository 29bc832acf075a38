// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// An `xdpctl monitor` that watches a bench's namespace; it is ended with this value.
final class RunningMonitor {
    private let process: Subprocess
    private var text = ""
    private var hasEnded = false

    /// Comes back when it watches.
    init(_ words: [String], in bench: ChainBench) throws {
        process = try Subprocess(
            Subprocess.binary("xdpctl"), ["monitor"] + words + ["--netns", bench.path])
        if words.contains("--json") {
            _ = try lines { $0.contains("\"watching\"") }
        } else {
            var entry = pollfd(fd: process.errors, events: Int16(POLLIN), revents: 0)
            #expect(poll(&entry, 1, 20_000) == 1)
        }
    }

    deinit {
        guard !hasEnded else { return }
        kill(process.processID, SIGTERM)
        _ = try? process.wait()
    }

    /// The whole lines up to now, as soon as one fits.
    func lines(until isLast: (String) -> Bool) throws -> [String] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let deadline = ContinuousClock.now + .seconds(20)
        while ContinuousClock.now < deadline {
            let whole = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(
                String.init)
            if whole.contains(where: isLast) { return whole }
            var entry = pollfd(fd: process.output, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 500) > 0 else { continue }
            let count = read(process.output, &buffer, buffer.count)
            guard count > 0 else { break }
            text += String(decoding: buffer.prefix(count), as: UTF8.self)
        }
        Issue.record("not seen: \(text)")
        return []
    }

    /// Sends a signal, if any, and waits for the end: the status, all it wrote, and its complaints.
    func end(_ signal: Int32? = SIGINT) throws -> Subprocess.Result {
        if let signal { kill(process.processID, signal) }
        hasEnded = true
        let result = try process.wait()
        return Subprocess.Result(status: result.status, output: text + result.output, errors: result.errors)
    }
}

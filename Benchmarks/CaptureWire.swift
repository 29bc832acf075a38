// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import Packets
import TestSupport

/// A pair of interfaces of which one receives on a single CPU, as a queue of a card does, while another CPU sends.
///
/// The kernel's thread that polls the receiving side is kept on that CPU, so what it spends can be read from the thread
/// alone, and the command that captures shares the CPU with it.
final class CaptureWire {
    /// CPUs.
    static let receiving = 0
    private static let sending = 1
    private let socket: PacketSocket
    private let thread: pid_t

    /// What was sent.
    struct Sent {
        var packets = 0
        /// How long it took.
        var seconds = 0.0
        /// Seconds that the receiving thread was on its CPU meanwhile.
        var receiving = 0.0
    }

    init() throws {
        guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) > Self.sending else {
            throw BenchmarkError("captures are measured with two CPUs: one receives, one sends")
        }
        try Sandbox.enterNetwork()
        // Without it a veth is polled only as long as it has a program, and each program gets a new thread.
        try EthtoolSwitch.setGRO(true, of: Sandbox.interface)
        try Self.pollByThread()
        thread = try Self.pollingThread()
        try OnProcessor.keep(thread, on: Self.receiving)
        var route = try RouteSocket()
        socket = try PacketSocket(interface: route.link(named: "bench1").index, role: .sender)
    }

    /// Sends at a steady rate.
    ///
    /// - Parameter burst: how many at a time, at least; about a hundred microseconds' worth unless it is said.
    func send(_ packet: Packet, rate: Double, seconds: Double, burst: Int? = nil) throws -> Sent {
        let total = Int(rate * seconds)
        let least = burst ?? max(1, Int(rate / 10_000))
        let before = try timeOfThread()
        let start = Self.now()
        var sent = 0
        // Another CPU than the caller's for the time; the child that captures stays where it was started.
        try OnProcessor.run(Self.sending) {
            while sent < total {
                let due = min(total, Int((Self.now() - start) * rate) + 1)
                guard due - sent >= least || due == total else { continue }
                let count = min(due - sent, 64)
                try socket.send(packet, times: count)
                sent += count
            }
        }
        let seconds = Self.now() - start
        // What still waits is the receiver's work, too.
        usleep(20_000)
        return Sent(packets: sent, seconds: seconds, receiving: try timeOfThread() - before)
    }

    // MARK: - The receiving thread

    /// By the interface's file below /sys of this network namespace.
    private static func pollByThread() throws {
        var path = Array("/tmp/benchmark-sys.XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else { throw BenchmarkError("mkdtemp: errno \(errno)") }
        let directory = String(decoding: path.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { rmdir(directory) }
        guard mount("sysfs", directory, "sysfs", 0, nil) == 0 else {
            throw BenchmarkError("mount sysfs: errno \(errno)")
        }
        defer { umount(directory) }
        let file = open("\(directory)/class/net/\(Sandbox.interface)/threaded", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw BenchmarkError("this kernel does not poll interfaces by threads (Linux 5.12)")
        }
        defer { close(file) }
        guard write(file, "1", 1) == 1 else {
            throw BenchmarkError("\(Sandbox.interface) cannot be polled by a thread: errno \(errno)")
        }
    }

    private static func pollingThread() throws -> pid_t {
        guard let processes = opendir("/proc") else { throw BenchmarkError("/proc: errno \(errno)") }
        defer { closedir(processes) }
        while let entry = readdir(processes) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let process = pid_t(name), let command = line("/proc/\(name)/comm") else { continue }
            if command.hasPrefix("napi/\(Sandbox.interface)") { return process }
        }
        throw BenchmarkError("the thread that polls \(Sandbox.interface) is not in /proc")
    }

    /// Seconds on a CPU since it began.
    private func timeOfThread() throws -> Double {
        guard let text = Self.line("/proc/\(thread)/schedstat"),
            let time = text.split(separator: " ").first.flatMap({ Double($0) })
        else { throw BenchmarkError("the kernel does not say how long a thread ran (CONFIG_SCHED_INFO)") }
        return time / 1e9
    }

    private static func line(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes = [CChar](repeating: 0, count: 256)
        guard fgets(&bytes, Int32(bytes.count), file) != nil else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}

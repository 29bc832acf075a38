// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import XDP

/// What each CPU has done with packets since the machine started, at a moment.
public struct SoftirqSample: Sendable, Hashable {
    public struct Processor: Sendable, Hashable {
        /// Time by what it was spent on, in hundredths of a second (`/proc/stat`): all of it, handling packets and the like
        /// (softirq), and nothing. What a hypervisor gave to others is no time of this processor.
        public var total: UInt64 = 0
        public var softirq: UInt64 = 0
        public var idle: UInt64 = 0
        /// How often it was called to take packets from a card (NET_RX of `/proc/softirqs`).
        public var receiving: UInt64 = 0
        /// Packets that it took, that it dropped for want of room in its backlog, and how often it had to stop before all were
        /// taken (`/proc/net/softnet_stat`). These numbers have 32 bits and begin anew.
        public var processed: UInt32 = 0
        public var dropped: UInt32 = 0
        public var squeezed: UInt32 = 0

        public init() {}
    }

    /// Nanoseconds of CLOCK_MONOTONIC.
    public var time: UInt64
    /// By number; CPUs that are off are not among them.
    public var processors: [Int: Processor]

    /// The three files as they are now.
    public static func read() throws(XDPError) -> SoftirqSample {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        var texts: [String] = []
        for path in Damage.paths {
            let bytes = SmallFile.bytes(of: path)
            guard !bytes.isEmpty else {
                throw XDPError(
                    .failed, task, because: "\(path) cannot be read", remedy: "See that /proc is mounted")
            }
            texts.append(String(decoding: bytes, as: UTF8.self))
        }
        do throws(Damage) {
            return try SoftirqSample(
                time: UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec), statistics: texts[0],
                softirqs: texts[1], softnet: texts[2])
        } catch {
            throw XDPError(
                .failed, task, because: "\(error.path) has a line that is not understood: \(error.line)",
                remedy: "Report this kernel's version, which this version of xdpctl does not know")
        }
    }

    private static let task = "How busy the CPUs are cannot be read"

    /// A line is not as the kernel writes it.
    package struct Damage: Error, Equatable {
        package static let paths = ["/proc/stat", "/proc/softirqs", "/proc/net/softnet_stat"]

        package let path: String
        package let line: String

        init(_ file: Int, _ line: some StringProtocol) {
            path = Self.paths[file]
            self.line = String(line.prefix(80))
        }
    }

    /// Reads what the files hold.
    package init(time: UInt64, statistics: String, softirqs: String, softnet: String) throws(Damage) {
        self.time = time
        processors = [:]
        try readStatistics(statistics)
        try readSoftirqs(softirqs)
        try readSoftnet(softnet)
    }

    /// "cpu0 user nice system idle iowait irq softirq steal guest guest_nice"; guests' time is part of the user's, and steal
    /// is left out.
    private mutating func readStatistics(_ text: String) throws(Damage) {
        for line in text.split(separator: "\n") where line.hasPrefix("cpu") {
            let words = line.split(separator: " ")
            let name = words[0].dropFirst(3)
            // The sum of all.
            if name.isEmpty { continue }
            let numbers = words.dropFirst().prefix(8).compactMap { UInt64($0) }
            guard let processor = Self.number(name), numbers.count == 8, processors[processor] == nil else {
                throw Damage(0, line)
            }
            var found = Processor()
            found.total = numbers.prefix(7).reduce(0, &+)
            found.idle = numbers[3] &+ numbers[4]
            found.softirq = numbers[6]
            processors[processor] = found
        }
        if processors.isEmpty { throw Damage(0, "") }
    }

    /// A head of "CPU0 CPU1 …", then a row for each softirq. All CPUs that there may be have a column.
    private mutating func readSoftirqs(_ text: String) throws(Damage) {
        let lines = text.split(separator: "\n")
        let head = lines.first ?? ""
        var columns: [Int] = []
        for word in head.split(separator: " ") {
            guard word.hasPrefix("CPU"), let number = Self.number(word.dropFirst(3)) else {
                throw Damage(1, head)
            }
            columns.append(number)
        }
        for line in lines.dropFirst() {
            let words = line.split(separator: " ")
            guard words.first == "NET_RX:" else { continue }
            let numbers = words.dropFirst().compactMap { UInt64($0) }
            guard numbers.count == columns.count, words.count == columns.count + 1 else {
                throw Damage(1, line)
            }
            for (processor, number) in zip(columns, numbers) { processors[processor]?.receiving = number }
            return
        }
        throw Damage(1, head)
    }

    /// A line of hexadecimal numbers for each CPU that is on: processed, dropped, squeezed, and more; the thirteenth is the CPU's
    /// number (Linux 5.10).
    private mutating func readSoftnet(_ text: String) throws(Damage) {
        let order = processors.keys.sorted()
        for (place, line) in text.split(separator: "\n").enumerated() {
            let words = line.split(separator: " ")
            let numbers = words.compactMap { UInt32($0, radix: 16) }
            guard numbers.count >= 3, numbers.count == words.count else { throw Damage(2, line) }
            let processor = numbers.count > 12 ? Int(numbers[12]) : place < order.count ? order[place] : -1
            processors[processor]?.processed = numbers[0]
            processors[processor]?.dropped = numbers[1]
            processors[processor]?.squeezed = numbers[2]
        }
    }

    /// Digits alone.
    private static func number(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
            return nil
        }
        return Int(text)
    }
}

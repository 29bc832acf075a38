// SPDX-License-Identifier: Apache-2.0
import BPF

/// What processors have done since the machine started: `/proc/stat` and `/proc/net/softnet_stat`.
struct ProcessorReading: Sendable {
    /// One processor.
    struct Row: Sendable, Hashable {
        /// In ticks.
        var softirq: UInt64 = 0
        var idle: UInt64 = 0
        var total: UInt64 = 0
        var processed: UInt64 = 0
        var dropped: UInt64 = 0
        var squeezed: UInt64 = 0
    }

    let rows: [Int: Row]

    static func now() -> ProcessorReading {
        ProcessorReading(
            stat: String(decoding: SmallFile.bytes(of: "/proc/stat"), as: UTF8.self),
            softnet: String(
                decoding: SmallFile.bytes(of: "/proc/thread-self/net/softnet_stat"), as: UTF8.self))
    }

    /// - Parameters:
    ///   - stat: lines `cpu0 user nice system idle iowait irq softirq steal …` in ticks.
    ///   - softnet: a line for each processor that is there, numbers in hexadecimal: processed, dropped, out of budget, …; the
    ///     thirteenth is the processor's number (Linux 5.10).
    init(stat: String, softnet: String) {
        var rows: [Int: Row] = [:]
        for line in stat.split(separator: "\n") where line.hasPrefix("cpu") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard let number = Int(words[0].dropFirst(3)) else { continue }
            let ticks = words.dropFirst().compactMap { UInt64($0) }
            guard ticks.count >= 7 else { continue }
            // What guests used is in the time of the user as well.
            rows[number] = Row(
                softirq: ticks[6], idle: ticks[3] &+ ticks[4], total: ticks.prefix(8).reduce(0, &+))
        }
        for (place, line) in softnet.split(separator: "\n").enumerated() {
            let numbers = line.split(separator: " ").compactMap { UInt64($0, radix: 16) }
            guard numbers.count >= 3 else { continue }
            let number = numbers.count > 12 ? Int(truncatingIfNeeded: numbers[12]) : place
            rows[number]?.processed = numbers[0]
            rows[number]?.dropped = numbers[1]
            rows[number]?.squeezed = numbers[2]
        }
        self.rows = rows
    }

    /// What happened since an earlier reading. Counters of softnet_stat are of 32 bits.
    func facts(since before: ProcessorReading) -> [ProcessorFacts] {
        rows.sorted { $0.key < $1.key }.compactMap { number, now in
            guard let old = before.rows[number], now.total > old.total else { return nil }
            let total = Double(now.total - old.total)
            func part(_ new: UInt64, _ old: UInt64) -> Double {
                new > old ? min(Double(new - old) / total, 1) : 0
            }
            func grown(_ new: UInt64, _ old: UInt64) -> UInt64 { (new &- old) & 0xffff_ffff }
            return ProcessorFacts(
                number: number, softirq: part(now.softirq, old.softirq), idle: part(now.idle, old.idle),
                processed: grown(now.processed, old.processed), dropped: grown(now.dropped, old.dropped),
                squeezed: grown(now.squeezed, old.squeezed))
        }
    }
}

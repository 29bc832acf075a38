// SPDX-License-Identifier: Apache-2.0
import Glibc
import XDP

/// How busy CPUs were with packets between two moments.
///
/// Drivers' polling in threads of their own (threaded NAPI) and cpumaps count as ordinary system time for the kernel, so they are
/// seen in ``Processor/idle`` alone.
public struct SoftirqLoad: Sendable, Hashable {
    public struct Processor: Sendable, Hashable {
        public var number: Int
        /// Of its time, from 0 to 1: with packets and the like, and with nothing.
        public var softirq: Double
        public var idle: Double
        /// How often it was called to take packets from a card.
        public var receiving: UInt64
        /// Packets that it took, and that it dropped because its backlog was full (net.core.netdev_max_backlog).
        public var processed: UInt64
        public var dropped: UInt64
        /// How often it stopped before all packets were taken, because its time or number was used up
        /// (net.core.netdev_budget): more came than it could take.
        public var squeezed: UInt64

        public init(
            number: Int, softirq: Double, idle: Double, receiving: UInt64 = 0, processed: UInt64 = 0,
            dropped: UInt64 = 0, squeezed: UInt64 = 0
        ) {
            self.number = number
            self.softirq = softirq
            self.idle = idle
            self.receiving = receiving
            self.processed = processed
            self.dropped = dropped
            self.squeezed = squeezed
        }
    }

    /// By number. CPUs that were not on at both moments are left out.
    public var processors: [Processor]
    public var seconds: Double

    /// What happened between two samples.
    public init(from before: SoftirqSample, to after: SoftirqSample) {
        seconds = Double(after.time &- before.time) / 1e9
        processors = after.processors.keys.sorted().compactMap { number in
            guard let old = before.processors[number], let new = after.processors[number] else { return nil }
            // The kernel lets some of these run backwards a little.
            func difference(_ path: KeyPath<SoftirqSample.Processor, UInt64>) -> UInt64 {
                let (a, b) = (old[keyPath: path], new[keyPath: path])
                return b > a ? b - a : 0
            }
            let total = difference(\.total)
            func share(_ path: KeyPath<SoftirqSample.Processor, UInt64>) -> Double {
                total == 0 ? 0 : min(Double(difference(path)) / Double(total), 1)
            }
            return Processor(
                number: number, softirq: share(\.softirq), idle: share(\.idle),
                receiving: difference(\.receiving),
                processed: UInt64(new.processed &- old.processed),
                dropped: UInt64(new.dropped &- old.dropped),
                squeezed: UInt64(new.squeezed &- old.squeezed))
        }
    }
}

/// Looks at the CPUs now and after a while. The kernel counts time in hundredths of a second, so a second or more gives good numbers.
public func softirqLoad(seconds: Double = 1) throws(XDPError) -> SoftirqLoad {
    let before = try SoftirqSample.read()
    usleep(UInt32(max(0, min(seconds, 3600)) * 1_000_000))
    return SoftirqLoad(from: before, to: try SoftirqSample.read())
}

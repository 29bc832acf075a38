// SPDX-License-Identifier: Apache-2.0

/// The mean of what a sum and a count grew by, over as many as it takes to say something.
struct IntervalMean: Sendable, Hashable {
    private(set) var mean: Double?
    private(set) var count: UInt64 = 0
    private var sum: UInt64 = 0
    private var number: UInt64 = 0

    /// Fewer are kept for the next time, and only shown where nothing better was.
    static let enough: UInt64 = 16

    /// Takes in what both are by now.
    mutating func update(sum now: UInt64, count: UInt64) {
        let more = count &- number
        guard more > 0, more >= Self.enough || self.count < Self.enough else { return }
        mean = Double(now &- sum) / Double(more)
        self.count = more
        guard more >= Self.enough else { return }
        sum = now
        number = count
    }
}

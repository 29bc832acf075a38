// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Filter

@Suite("Sets of ranges")
struct IntervalSetTests {
    private typealias Numbers = IntervalSet<UInt32>

    @Test("ranges that overlap or touch become one")
    func joined() {
        #expect(Numbers([5...9, 0...3, 4...4, 20...30, 25...26]).ranges == [0...9, 20...30])
        #expect(Numbers([.max...(.max), 0...(.max)]).ranges == [0...(.max)])
    }

    @Test("a complement has what is not in the set, up to the maximum")
    func complement() {
        #expect(Numbers([3...5, 9...10]).complement(upTo: 10).ranges == [0...2, 6...8])
        #expect(Numbers.empty.complement(upTo: 7).ranges == [0...7])
        #expect(Numbers(0...7).complement(upTo: 7).isEmpty)
        #expect(Numbers(0...(.max)).complement(upTo: .max).isEmpty)
    }

    @Test("an intersection has what is in both")
    func intersection() {
        #expect(Numbers([0...5, 8...9]).intersection(Numbers([4...8, 20...30])).ranges == [4...5, 8...8])
    }
}

// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Filter

@Suite("Trees of IPv4 addresses")
struct AddressTreeTests {
    @Test("a tree says of every address what the longest prefix says", arguments: 0..<20)
    func longest(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let lists = (0..<Int.random(in: 0...60, using: &generator)).map { _ -> IntervalSet<UInt32> in
            let bits = UInt32.random(in: 0...32, using: &generator)
            let base = UInt32.random(in: 0...UInt32.max, using: &generator) & 0x0a03_07ff
            let last = bits == 32 ? UInt32.max : base | ((1 << bits) - 1)
            return IntervalSet([(bits == 32 ? 0 : base & ~((1 << bits) - 1))...last])
        }
        let table = PrefixTable(firstOf: lists)
        let tree = try #require(AddressTree(table, otherwise: AddressTree.nothing))

        for _ in 0..<4000 {
            var address = UInt32.random(in: 0...UInt32.max, using: &generator)
            if Bool.random(using: &generator) { address &= 0x0a03_07ff }
            let first = lists.firstIndex { $0.ranges.contains { $0.contains(address) } }
            #expect(tree.value(of: address) == first ?? AddressTree.nothing)
        }
    }

    @Test("what is too large for a tree has none")
    func tooLarge() {
        let scattered = (0..<5000).map { number in
            IntervalSet([UInt32(number) << 13 | 1...UInt32(number) << 13 | 1])
        }
        #expect(AddressTree(PrefixTable(firstOf: scattered), otherwise: AddressTree.nothing) == nil)
        #expect(AddressTree(PrefixTable(firstOf: []), otherwise: 0x8000) == nil)
    }
}

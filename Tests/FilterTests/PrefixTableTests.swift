// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import Filter

@Suite("Tables of prefixes")
struct PrefixTableTests {
    /// What the longest prefix says, by trying all.
    private func value(_ table: PrefixTable<UInt32>, of address: UInt32) -> Int {
        let found = table.entries.filter { entry in
            entry.length == 0 || (address ^ entry.address) >> UInt32(32 - entry.length) == 0
        }
        return found.max { $0.length < $1.length }?.value ?? table.standard
    }

    @Test("a table says of every address what the ranges said from which it was made", arguments: 0..<20)
    func sameAsRanges(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let starts = Set((0..<30).map { _ in UInt32.random(in: 1...(.max), using: &random) & ~0xff })
        let steps =
            [FieldClasses.Step<UInt32>(lower: 0, kind: 1)]
            + starts.sorted().map {
                FieldClasses.Step(lower: $0, kind: Int.random(in: 1...3, using: &random))
            }

        let table = PrefixTable(steps)

        for start in starts {
            for address in [start - 1, start, start + 1] {
                #expect(value(table, of: address) == FieldClasses.find(address, in: steps))
            }
        }
    }

    @Test("single addresses need one entry each, and are a hash's keys")
    func single() {
        let steps = [
            FieldClasses.Step<UInt32>(lower: 0, kind: 1), .init(lower: 10, kind: 2),
            .init(lower: 11, kind: 1),
            .init(lower: 13, kind: 2), .init(lower: 14, kind: 1),
        ]

        let table = PrefixTable(steps)

        #expect(table.isExact)
        #expect(table.entries.map(\.address) == [10, 13])
        #expect(table.standard == 1)
    }

    @Test(
        "of networks that cover an address the first list counts, not the longest prefix", arguments: 0..<20)
    func firstList(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let lists = (0..<20).map { _ in
            let length = UInt32.random(in: 4...28, using: &random)
            let first = UInt32.random(in: 0...(.max), using: &random) & 0xf0ff_ff00 & ~(UInt32.max >> length)
            return IntervalSet<UInt32>(first...(first | UInt32.max >> length))
        }

        let table = PrefixTable(firstOf: lists)

        for list in lists {
            guard let range = list.ranges.first else { continue }
            for address in [range.lowerBound, range.upperBound, range.upperBound &+ 1] {
                let expected = lists.firstIndex { $0.contains(address) } ?? -1
                #expect(value(table, of: address) == expected)
            }
        }
    }

    @Test("a range that is no network becomes several, which cover it and nothing else")
    func split() {
        var ranges: [ClosedRange<UInt32>] = []

        PrefixTable<UInt32>.split(5...1000) { address, length in
            ranges.append(address...(address | UInt32.max >> UInt32(length)))
        }

        #expect(IntervalSet(ranges).ranges == [5...1000])
        #expect(ranges.count == 14)
    }
}

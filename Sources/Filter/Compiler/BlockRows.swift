// SPDX-License-Identifier: Apache-2.0

/// For each class of a field the rules of a block that its values do not exclude: a row of bits.
///
/// | Part of a row | Bytes | where |
/// |---|---|---|
/// | rules that do not decide | 8 | the block has some |
/// | which words are not zero | 8 | there are several words |
/// | words: the conjunctions of rules that decide | 8 each | |
struct BlockRows {
    private(set) var bytes: [UInt8]
    let stride: Int
    private(set) var count: Int
    /// The row of each class, where many classes share rows; else the class is the row.
    private(set) var index: [UInt16]?

    /// Bytes up to which filling up to a power of two is cheaper than a comparison.
    private static let filledUp = 128 << 10

    /// The rows of a field.
    init(_ block: Block, _ classes: FieldClasses) {
        let size = block.words + 1
        var unconstrained = [UInt64](repeating: 0, count: size)
        var bits = [[UInt64]?](repeating: nil, count: classes.constraints.count)
        for (place, conjunction) in block.conjunctions.enumerated() {
            guard let (word, mask) = Self.position(place, block) else { continue }
            guard let constraint = conjunction[classes.key], let number = classes.number(of: constraint)
            else {
                unconstrained[word] |= mask
                continue
            }
            bits[number, default: size][word] |= mask
        }
        var rows: [[UInt64]] = [[UInt64](repeating: 0, count: size)]
        rows.reserveCapacity(classes.members.count)
        for members in classes.members.dropFirst() {
            var row = unconstrained
            for member in members {
                guard let its = bits[member] else { continue }
                for word in 0..<size { row[word] |= its[word] }
            }
            rows.append(row)
        }
        self.init(rows, block)
    }

    /// The rows of a group of questions: a bit of the class is the answer.
    init(_ block: Block, answers group: Range<Int>) {
        let size = block.words + 1
        var yes = [[UInt64]](repeating: [UInt64](repeating: 0, count: size), count: group.count)
        var no = yes
        for (place, conjunction) in block.conjunctions.enumerated() {
            guard let (word, mask) = Self.position(place, block) else { continue }
            for (bit, number) in group.enumerated() {
                let wanted = conjunction[.predicate(number)]
                if wanted != .truth(false) { yes[bit][word] |= mask }
                if wanted != .truth(true) { no[bit][word] |= mask }
            }
        }
        let rows = (0..<(1 << group.count)).map { answers in
            var row = [UInt64](repeating: .max, count: size)
            for bit in 0..<group.count {
                let its = answers >> bit & 1 == 1 ? yes[bit] : no[bit]
                for word in 0..<size { row[word] &= its[word] }
            }
            return row
        }
        self.init(rows, block)
    }

    /// The word and the bit of a conjunction; those that do not decide stand in a word of their own at the end.
    private static func position(_ place: Int, _ block: Block) -> (Int, UInt64)? {
        guard place < block.finals.count else {
            return (block.words, 1 << UInt64(place - block.finals.count))
        }
        guard let bit = block.arrangement.map({ $0.bits[place] }) ?? place else { return nil }
        return (bit / 64, 1 << UInt64(bit % 64))
    }

    private init(_ rows: [[UInt64]], _ block: Block) {
        stride = block.stride
        var different: [[UInt64]] = []
        var places: [[UInt64]: Int] = [:]
        var index: [UInt16] = []
        index.reserveCapacity(rows.count)
        for row in rows {
            if places[row] == nil {
                places[row] = different.count
                different.append(row)
            }
            index.append(UInt16(truncatingIfNeeded: places[row] ?? 0))
        }
        // A load more is worth it only if it saves much.
        let isIndexed = rows.count * stride > 16 << 10 && different.count * 3 < rows.count
        self.index = isIndexed ? index : nil
        let chosen = isIndexed ? different : rows
        bytes = []
        bytes.reserveCapacity(chosen.count * stride)
        for row in chosen { Self.append(row, block, to: &bytes) }
        count = chosen.count
        var full = 1
        while full < count { full *= 2 }
        if full * stride <= Self.filledUp {
            bytes += [UInt8](repeating: 0, count: (full - count) * stride)
            count = full
        }
    }

    private static func append(_ row: [UInt64], _ block: Block, to bytes: inout [UInt8]) {
        let words = row.dropLast()
        if !block.others.isEmpty, let others = row.last { bytes += others.hostBytes }
        if block.words > 1 {
            var summary: UInt64 = 0
            for (place, word) in words.enumerated() where word != 0 { summary |= 1 << UInt64(place) }
            bytes += summary.hostBytes
        }
        for word in words { bytes += word.hostBytes }
    }
}

extension Array where Element == [UInt64]? {
    fileprivate subscript(place: Int, default size: Int) -> [UInt64] {
        get { self[place] ?? [UInt64](repeating: 0, count: size) }
        set { self[place] = newValue }
    }
}

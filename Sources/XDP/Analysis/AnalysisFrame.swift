// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What is known of a function's stack frame. Where there is no cell, nothing is known.
struct AnalysisFrame: Hashable {
    /// One to eight bytes that were stored together, or a part of them.
    struct Cell: Hashable {
        /// From the frame's end, negative.
        var offset: Int
        var size: Int
        var value: TrackedValue

        var end: Int { offset + size }
    }

    /// Without overlaps, in their order.
    var cells: [Cell] = []

    /// What a load gives.
    func load(_ offset: Int, size: Int) -> TrackedValue {
        guard let first = cells.firstIndex(where: { $0.end > offset }) else { return .unknown }
        let cell = cells[first]
        if cell.offset == offset, cell.size == size { return cell.value }
        #if _endian(little)
            return TrackedValue(.number(composed(offset, size, from: first)))
        #else
            return .unknown
        #endif
    }

    /// A number out of parts of cells.
    private func composed(_ offset: Int, _ size: Int, from first: Int) -> NumberSet {
        var number = NumberSet(0)
        var place = offset
        for cell in cells[first...] where place < offset + size {
            guard cell.offset <= place, let whole = cell.value.value.number else {
                return NumberSet(bits: size * 8)
            }
            let end = min(cell.end, offset + size)
            let part = Self.part(of: whole, from: place - cell.offset, size: end - place)
            let shift = NumberSet(UInt64(8 * (place - offset)))
            number = number.result(.or, part.result(.shiftLeft, shift, is32: false), is32: false)
            place = end
        }
        return place < offset + size ? NumberSet(bits: size * 8) : number
    }

    private static func part(of number: NumberSet, from byte: Int, size: Int) -> NumberSet {
        let moved =
            byte == 0 ? number : number.result(.shiftRight, NumberSet(UInt64(8 * byte)), is32: false)
        return moved.zeroExtended(from: 8 * size)
    }

    mutating func store(_ value: TrackedValue, _ offset: Int, size: Int) {
        clear(offset..<offset + size)
        guard offset >= -StackUse.limit, offset + size <= 0 else { return }
        let place = cells.firstIndex { $0.offset > offset } ?? cells.count
        cells.insert(Cell(offset: offset, size: size, value: value), at: place)
    }

    /// Forgets what is in some bytes; of numbers the rest stays.
    mutating func clear(_ range: Range<Int>) {
        guard let first = cells.firstIndex(where: { $0.end > range.lowerBound }),
            cells[first].offset < range.upperBound
        else { return }
        var last = first
        var rest: [Cell] = []
        while last < cells.count, cells[last].offset < range.upperBound {
            rest += Self.cut(cells[last], range)
            last += 1
        }
        cells.replaceSubrange(first..<last, with: rest)
    }

    /// What is left of a cell outside of a range.
    private static func cut(_ cell: Cell, _ range: Range<Int>) -> [Cell] {
        #if _endian(little)
            guard let number = cell.value.value.number, !number.isFull else { return [] }
            var rest: [Cell] = []
            let (before, behind) = (min(range.lowerBound, cell.end), max(range.upperBound, cell.offset))
            for (start, end) in [(cell.offset, before), (behind, cell.end)] where start < end {
                let value = Self.part(of: number, from: start - cell.offset, size: end - start)
                let origins = cell.value.origins.map {
                    TrackedValue.Origin(instruction: $0.instruction, constant: nil)
                }
                rest.append(
                    Cell(
                        offset: start, size: end - start,
                        value: TrackedValue(.number(value), origins: origins)))
            }
            return rest
        #else
            return []
        #endif
    }

    mutating func clear() {
        cells.removeAll()
    }

    /// What both frames have.
    func joined(_ other: Self, widening: AnalysisValue.Widening) -> Self {
        if self == other { return self }
        var both = AnalysisFrame()
        var (own, their) = (0, 0)
        while own < cells.count || their < other.cells.count {
            let left = own < cells.count ? cells[own] : nil
            let right = their < other.cells.count ? other.cells[their] : nil
            if let left, let right, left.offset == right.offset, left.size == right.size {
                let value = left.value.joined(right.value, widening: widening)
                both.cells.append(Cell(offset: left.offset, size: left.size, value: value))
                own += 1
                their += 1
            } else if let left, left.offset <= right?.offset ?? .max {
                both.keepPointer(left)
                own += 1
            } else if let right {
                both.keepPointer(right)
                their += 1
            }
        }
        return both
    }

    /// A pointer that is there on one way only can still be used on that way.
    private mutating func keepPointer(_ cell: Cell) {
        let mixture = cell.value.value.mixture
        guard !mixture.isEmpty, (cells.last?.end ?? .min) <= cell.offset else { return }
        cells.append(
            Cell(offset: cell.offset, size: cell.size, value: TrackedValue(.mixed(mixture))))
    }
}

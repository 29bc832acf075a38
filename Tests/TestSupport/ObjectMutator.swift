// SPDX-License-Identifier: Apache-2.0

/// Damages ELF objects in the places that matter: headers, tables, type information. The same damage for the
/// same seed and number.
public enum ObjectMutator {
    /// A mutant of an object.
    public static func mutate(_ original: [UInt8], seed: UInt64, number: Int) -> [UInt8] {
        var random = SeededGenerator(seed: seed &* 0x1_0001 &+ UInt64(number))
        var bytes = original
        if number % 16 == 15 {
            bytes.removeLast(Int.random(in: 1...max(1, bytes.count - 1), using: &random))
            return bytes
        }
        let places = interestingRanges(original)
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard let range = places.randomElement(using: &random),
                let place = range.randomElement(using: &random)
            else { continue }
            damage(&bytes, place, &random)
        }
        return bytes
    }

    private static func damage(_ bytes: inout [UInt8], _ place: Int, _ random: inout SeededGenerator) {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 2: bytes[place] = [0, 1, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
        case 3:
            let value = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fff8].randomElement(
                using: &random)
            put(UInt32(value ?? 0), &bytes, place & ~3)
        default: put(UInt32.random(in: 0..<64, using: &random), &bytes, place & ~3)
        }
    }

    private static func put(_ value: UInt32, _ bytes: inout [UInt8], _ place: Int) {
        guard place + 4 <= bytes.count else { return }
        for byte in 0..<4 { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(byte))) }
    }

    /// The ELF header, the section headers, and each section but the source-level debug information.
    private static func interestingRanges(_ bytes: [UInt8]) -> [Range<Int>] {
        func number(_ place: Int, _ size: Int) -> Int {
            guard place >= 0, place + size <= bytes.count else { return 0 }
            return (0..<size).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) }
        }
        let table = number(40, 8)
        let count = number(60, 2)
        let names = number(table + number(62, 2) * 64 + 24, 8)
        var ranges = [0..<64, table..<min(table + count * 64, bytes.count)]
        for section in 1..<max(count, 1) {
            let header = table + section * 64
            let start = number(header + 24, 8)
            let size = number(header + 32, 8)
            let isDebug = bytes[min(names + number(header, 4), bytes.count - 7)...].starts(
                with: Array(".debug".utf8))
            guard !isDebug, number(header + 4, 4) != 8, size > 0, start + size <= bytes.count else {
                continue
            }
            ranges.append(start..<(start + size))
        }
        return ranges.filter { !$0.isEmpty }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Checks the type information of an object before libbpf follows it.
///
/// libbpf before 1.3 trusts the references between types: an id out of range, or a typedef of itself, sends
/// it out of bounds or round in circles.
///
/// | Offset | Field (Documentation/bpf/btf.rst of the kernel) |
/// |---|---|
/// | 0 | magic 0xeb9f (2), version (1), flags (1), header length (4) |
/// | 8 | types: offset (4), length (4); strings: offset (4), length (4) |
/// | each type | name offset (4), info: kind 24–28, count 0–15, flag 31 (4), size or type (4), then by kind |
enum BTFCheck {
    /// Checks the sections `.BTF` and `.BTF.ext`, where the object has them.
    static func check(_ image: ELFImage) throws(BPFError) {
        if let range = image.contents(of: ".BTF") {
            let count = try BTFTypes(ByteReader(Array(image.reader.bytes[range]))).check()
            if let extended = image.contents(of: ".BTF.ext") {
                try checkExtended(ByteReader(Array(image.reader.bytes[extended])), typeCount: count)
            }
        } else if image.contents(of: ".BTF.ext") != nil {
            throw ELFImage.refused("it has .BTF.ext without .BTF")
        }
    }

    /// `.BTF.ext`: header (magic, version, flags, header length, then offset and length of function, line
    /// and relocation records); each part is a record size, then per section a name, a count and records.
    private static func checkExtended(_ reader: ByteReader, typeCount: Int) throws(BPFError) {
        guard reader.integer(at: 0, as: UInt16.self) == 0xeb9f,
            let headerLength: UInt32 = reader.integer(at: 4), headerLength >= 24
        else { throw ELFImage.refused("its .BTF.ext has no valid header") }
        let parts = headerLength >= 32 ? 3 : 2
        for part in 0..<parts {
            guard let offset: UInt32 = reader.integer(at: 8 + part * 8),
                let length: UInt32 = reader.integer(at: 12 + part * 8),
                let range = reader.range(at: UInt64(headerLength) + UInt64(offset), count: UInt64(length))
            else { throw ELFImage.refused("its .BTF.ext is cut short") }
            if range.isEmpty { continue }
            try checkRecords(reader, range, isRelocations: part == 2, typeCount: typeCount)
        }
    }

    private static func checkRecords(
        _ reader: ByteReader, _ range: Range<Int>, isRelocations: Bool, typeCount: Int
    ) throws(BPFError) {
        let damaged = ELFImage.refused("the records in its .BTF.ext are damaged")
        guard let size: UInt32 = reader.integer(at: range.lowerBound), size >= 8, size % 4 == 0, size < 4096
        else {
            throw damaged
        }
        var place = range.lowerBound + 4
        while place < range.upperBound {
            guard place + 8 <= range.upperBound, let count: UInt32 = reader.integer(at: place + 4), count > 0,
                UInt64(place) + 8 + UInt64(count) * UInt64(size) <= UInt64(range.upperBound)
            else { throw damaged }
            place += 8
            for _ in 0..<count {
                if isRelocations {
                    guard let type: UInt32 = reader.integer(at: place + 4), type < typeCount else {
                        throw damaged
                    }
                }
                place += Int(size)
            }
        }
    }
}

/// The type section of BTF, checked for references that lead nowhere or in circles.
private struct BTFTypes {
    let reader: ByteReader
    private var kinds: [UInt8] = [0]
    /// What a type is a modifier, array or variable of: the references that libbpf follows in a loop.
    private var targets: [UInt32] = [0]
    private var references: [UInt32] = []

    init(_ reader: ByteReader) throws(BPFError) {
        self.reader = reader
    }

    private static let damaged = ELFImage.refused("its BTF is damaged")

    /// Returns the number of types, `void` included.
    func check() throws(BPFError) -> Int {
        var copy = self
        try copy.walk()
        let count = UInt32(copy.kinds.count)
        guard copy.references.allSatisfy({ $0 < count }) else {
            throw ELFImage.refused("its BTF refers to a type that does not exist")
        }
        try copy.checkLoops()
        return copy.kinds.count
    }

    private mutating func walk() throws(BPFError) {
        guard reader.integer(at: 0, as: UInt16.self) == 0xeb9f,
            let header: UInt32 = reader.integer(at: 4), header >= 24,
            let typeOffset: UInt32 = reader.integer(at: 8), let typeLength: UInt32 = reader.integer(at: 12),
            let stringOffset: UInt32 = reader.integer(at: 16),
            let stringLength: UInt32 = reader.integer(at: 20),
            let types = reader.range(at: UInt64(header) + UInt64(typeOffset), count: UInt64(typeLength)),
            let strings = reader.range(
                at: UInt64(header) + UInt64(stringOffset), count: UInt64(stringLength)),
            !strings.isEmpty, reader.bytes[strings.lowerBound] == 0, reader.bytes[strings.upperBound - 1] == 0
        else { throw Self.damaged }
        var place = types.lowerBound
        while place < types.upperBound {
            guard place + 12 <= types.upperBound, let name: UInt32 = reader.integer(at: place),
                let info: UInt32 = reader.integer(at: place + 4),
                let target: UInt32 = reader.integer(at: place + 8), name < strings.count
            else { throw Self.damaged }
            let kind = UInt8(info >> 24 & 0x1f)
            let count = Int(info & 0xffff)
            place += 12
            guard let size = Self.extraSize(kind, count), place + size <= types.upperBound else {
                throw Self.damaged
            }
            try readReferences(kind, count, target, at: place, strings: strings.count)
            kinds.append(kind)
            place += size
        }
    }

    /// The bytes that follow the common part of a type.
    private static func extraSize(_ kind: UInt8, _ count: Int) -> Int? {
        switch kind {
        case 1, 14, 17: 4  // int, variable, declaration tag
        case 2, 7, 8, 9, 10, 11, 12, 16, 18: 0
        case 3: 12  // array
        case 4, 5, 15, 19: 12 * count  // structure, union, section, 64-bit enumeration
        case 6, 13: 8 * count  // enumeration, function prototype
        default: nil
        }
    }

    private mutating func readReferences(
        _ kind: UInt8, _ count: Int, _ target: UInt32, at place: Int, strings: Int
    ) throws(BPFError) {
        var followed: UInt32 = 0
        switch kind {
        case 2, 8, 9, 10, 11, 12, 13, 14, 17, 18:
            references.append(target)
            // A pointer or a function may lead back to where it came from; a modifier may not.
            if [8, 9, 10, 11, 14, 18].contains(kind) { followed = target }
        case 3:
            guard let element: UInt32 = reader.integer(at: place),
                let index: UInt32 = reader.integer(at: place + 4)
            else { throw Self.damaged }
            references += [element, index]
            followed = element
        default: break
        }
        targets.append(followed)
        let stride = kind == 13 || kind == 6 ? 8 : 12
        guard [4, 5, 6, 13, 15, 19].contains(kind) else { return }
        for index in 0..<count {
            let start = place + index * stride
            guard let first: UInt32 = reader.integer(at: start),
                let second: UInt32 = reader.integer(at: start + 4)
            else { throw Self.damaged }
            if kind == 15 {
                references.append(first)
            } else {
                guard first < strings else { throw Self.damaged }
                if kind == 4 || kind == 5 || kind == 13 { references.append(second) }
            }
        }
    }

    private func checkLoops() throws(BPFError) {
        // 0 unknown, 1 on the way, 2 known to end
        var state = [UInt8](repeating: 0, count: targets.count)
        for start in targets.indices {
            var path: [Int] = []
            var current = start
            while current != 0, state[current] == 0 {
                state[current] = 1
                path.append(current)
                current = Int(targets[current])
            }
            if current != 0, state[current] == 1 {
                throw ELFImage.refused("its BTF has a type made of itself")
            }
            for id in path { state[id] = 2 }
        }
    }
}

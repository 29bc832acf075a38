// SPDX-License-Identifier: Apache-2.0

/// The outline of a relocatable BPF object: sections, symbols and relocations, all checked against the
/// size of the file.
///
/// libbpf reads objects; this reader exists to keep hostile ones away from it, and to tell two things that
/// libbpf knows but does not say: which programs a program array is initialised with, and whether the maps
/// are of the old kind.
///
/// | Offset | Field of the header (System V ABI, ELF64) | Here |
/// |---|---|---|
/// | 0 | magic, class, data, version | 7f 45 4c 46, 2 (64 bit), 1 (little endian), 1 |
/// | 16, 18 | type, machine | 1 (relocatable), 247 (BPF) |
/// | 40 | section header offset | checked |
/// | 58, 60, 62 | section header size, count, index of the names | 64, checked, checked |
struct ELFImage {
    /// One section header.
    struct Section {
        var name: String
        var type: UInt32
        var flags: UInt64
        var contents: Range<Int>
        var link: Int
        var info: Int
        var entrySize: Int
    }

    /// One symbol.
    struct Symbol {
        var name: String
        /// 1 object, 2 function, 3 section (the low four bits of `st_info`).
        var type: UInt8
        var section: Int
        var value: UInt64
        var size: UInt64
    }

    let reader: ByteReader
    private(set) var sections: [Section] = []
    private(set) var symbols: [Symbol] = []

    private static let machineBPF: UInt16 = 247
    /// `SHT_…` of elf.h.
    private static let symbolTable: UInt32 = 2
    private static let stringTable: UInt32 = 3
    private static let noContents: UInt32 = 8
    fileprivate static let relocations: UInt32 = 9
    fileprivate static let relocationsWithAddend: UInt32 = 4

    /// Checks the outline of an object.
    init(_ bytes: [UInt8]) throws(BPFError) {
        reader = ByteReader(bytes)
        guard bytes.prefix(4) == [0x7f, 0x45, 0x4c, 0x46] else {
            throw Self.refused("this is not an ELF object")
        }
        guard bytes.count >= 64 else { throw Self.refused("the ELF header is cut short") }
        guard bytes[4] == 2, bytes[5] == 1 else {
            throw Self.refused("this is not a 64-bit little-endian object (build it with -target bpfel)")
        }
        guard reader.integer(at: 18, as: UInt16.self) == Self.machineBPF else {
            throw Self.refused("this is not a BPF object (build it with `clang -target bpf -O2 -g -c`)")
        }
        guard reader.integer(at: 16, as: UInt16.self) == 1 else {
            throw Self.refused("this is not a relocatable object")
        }
        try readSections()
        try readSymbols()
        try checkRelocations()
    }

    static func refused(_ reason: String) -> BPFError {
        BPFError("read the object", kernelMessage: reason)
    }

    private mutating func readSections() throws(BPFError) {
        guard let tableOffset = reader.integer(at: 40, as: UInt64.self),
            let entrySize = reader.integer(at: 58, as: UInt16.self),
            let count = reader.integer(at: 60, as: UInt16.self),
            let namesIndex = reader.integer(at: 62, as: UInt16.self),
            entrySize == 64, count > 0, namesIndex < count,
            let table = reader.range(at: tableOffset, count: UInt64(count) * 64)
        else { throw Self.refused("the table of sections lies outside the file: it is cut short or damaged") }
        var raw: [(name: UInt32, section: Section)] = []
        for start in stride(from: table.lowerBound, to: table.upperBound, by: 64) {
            guard let name: UInt32 = reader.integer(at: start),
                let type: UInt32 = reader.integer(at: start + 4),
                let flags: UInt64 = reader.integer(at: start + 8),
                let offset: UInt64 = reader.integer(at: start + 24),
                let size: UInt64 = reader.integer(at: start + 32),
                let link: UInt32 = reader.integer(at: start + 40),
                let info: UInt32 = reader.integer(at: start + 44),
                let entry: UInt64 = reader.integer(at: start + 56)
            else { throw Self.refused("a section header is cut short") }
            let hasContents = type != Self.noContents && type != 0
            guard let contents = hasContents ? reader.range(at: offset, count: size) : 0..<0 else {
                throw Self.refused("section \(raw.count) lies outside the file: it is cut short or damaged")
            }
            guard size < 1 << 30, entry <= 1 << 16 else {
                throw Self.refused("section \(raw.count) claims an impossible size")
            }
            raw.append(
                (
                    name,
                    Section(
                        name: "", type: type, flags: flags, contents: contents, link: Int(link),
                        info: Int(info), entrySize: Int(entry))
                ))
        }
        let names = raw[Int(namesIndex)].section.contents
        for entry in raw {
            var section = entry.section
            let isUnused = section.type == 0
            guard
                let name = isUnused ? "" : reader.text(at: names.lowerBound + Int(entry.name), within: names)
            else { throw Self.refused("a section name lies outside the table of names") }
            section.name = name
            sections.append(section)
        }
        for section in sections where section.type == Self.stringTable {
            guard section.contents.isEmpty || reader.bytes[section.contents.upperBound - 1] == 0 else {
                throw Self.refused("a table of names has no end")
            }
        }
    }

    private mutating func readSymbols() throws(BPFError) {
        for table in sections where table.type == Self.symbolTable {
            guard table.entrySize == 24, table.contents.count % 24 == 0,
                sections.indices.contains(table.link),
                sections[table.link].type == Self.stringTable
            else { throw Self.refused("the table of symbols is damaged") }
            guard symbols.isEmpty else { throw Self.refused("there are two tables of symbols") }
            let names = sections[table.link].contents
            for start in stride(from: table.contents.lowerBound, to: table.contents.upperBound, by: 24) {
                guard let nameOffset: UInt32 = reader.integer(at: start),
                    let info: UInt8 = reader.integer(at: start + 4),
                    let section: UInt16 = reader.integer(at: start + 6),
                    let value: UInt64 = reader.integer(at: start + 8),
                    let size: UInt64 = reader.integer(at: start + 16),
                    let name = reader.text(at: names.lowerBound + Int(nameOffset), within: names)
                else { throw Self.refused("symbol \(symbols.count) is damaged") }
                // From 0xff00 on the index has a meaning of its own (absolute, common).
                guard section >= 0xff00 || Int(section) < sections.count else {
                    throw Self.refused("symbol \(name) is in a section that does not exist")
                }
                symbols.append(
                    Symbol(name: name, type: info & 0xf, section: Int(section), value: value, size: size))
            }
        }
    }

    private func checkRelocations() throws(BPFError) {
        for section in sections
        where section.type == Self.relocations || section.type == Self.relocationsWithAddend {
            let size = section.type == Self.relocations ? 16 : 24
            guard section.entrySize == size, section.contents.count % size == 0,
                sections.indices.contains(section.link), sections.indices.contains(section.info),
                sections[section.link].type == Self.symbolTable
            else { throw Self.refused("the relocations \(section.name) are damaged") }
            let target = sections[section.info].contents
            for entry in relocationEntries(of: section) {
                guard entry.symbol < symbols.count, entry.offset < UInt64(max(target.count, 1)) else {
                    throw Self.refused("a relocation in \(section.name) points outside the file's contents")
                }
            }
        }
    }

    fileprivate func relocationEntries(of section: Section) -> [(offset: UInt64, symbol: Int)] {
        let size = section.type == Self.relocations ? 16 : 24
        return stride(from: section.contents.lowerBound, to: section.contents.upperBound, by: size)
            .compactMap { start in
                guard let offset: UInt64 = reader.integer(at: start),
                    let info: UInt64 = reader.integer(at: start + 8)
                else { return nil }
                return (offset, Int(info >> 32))
            }
    }

    /// The bytes of a section; nil where there is none of that name.
    func contents(of name: String) -> Range<Int>? {
        sections.first { $0.name == name }?.contents
    }

    /// Whether maps are declared in the way that libbpf 1.0 gave up (`struct bpf_map_def`).
    var hasLegacyMaps: Bool {
        sections.contains { $0.name == "maps" || $0.name.hasPrefix("maps/") }
    }

    /// The programs that the object puts into its program arrays (`.values = { [0] = &callee }`).
    var initialTailCallees: Set<String> {
        var names: Set<String> = []
        for section in sections where section.type == Self.relocations && section.name == ".rel.maps" {
            for entry in relocationEntries(of: section) where symbols[entry.symbol].type == 2 {
                names.insert(symbols[entry.symbol].name)
            }
        }
        return names
    }
}

extension ELFImage {
    /// Whether the functions of a section, or those that any section may call, refer to a symbol.
    func refers(to symbol: String, fromSection section: String) -> Bool {
        sections.contains { candidate in
            guard candidate.type == Self.relocations || candidate.type == Self.relocationsWithAddend else {
                return false
            }
            let target = sections[candidate.info].name
            return (target == section || target == ".text")
                && relocationEntries(of: candidate).contains { symbols[$0.symbol].name == symbol }
        }
    }
}

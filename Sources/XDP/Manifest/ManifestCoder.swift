// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// The fields of a manifest in their order. Lists are a 32-bit count and the elements, texts a 32-bit count
/// and UTF-8; a unit's source texts are kept once and referred to by place.
enum ManifestCoder {
    static func write(_ manifest: Manifest, to writer: inout ManifestWriter) {
        writer.write(manifest.isClosed)
        writer.write(manifest.generation)
        writer.write(UInt8(AttachMode.allCases.firstIndex(of: manifest.mode) ?? 0))
        writer.write(manifest.fellBack)
        writer.write(manifest.supportsFrags)
        writer.write(UInt8(CounterMode.allCases.firstIndex(of: manifest.chain.counters) ?? 0))
        writer.write(manifest.verifiedInstructions)
        writer.write(manifest.frame)
        writer.write(each: manifest.counterPages) { $0.write($1) }
        writer.write(each: manifest.chain.members) { write($1, to: &$0) }
    }

    static func read(from reader: inout ManifestReader) throws(ManifestReader.Damage) -> Manifest {
        let isClosed = try reader.bool()
        let generation: UInt64 = try reader.integer()
        let mode = try choice(AttachMode.allCases, &reader)
        let fellBack = try reader.bool()
        let supportsFrags = try reader.bool()
        let counters = try choice(CounterMode.allCases, &reader)
        let verified: UInt32 = try reader.integer()
        let frame: UInt32 = try reader.integer()
        let pages = try reader.array { reader throws(ManifestReader.Damage) in
            try reader.integer(UInt32.self)
        }
        let members = try reader.array { reader throws(ManifestReader.Damage) in
            try readMember(from: &reader)
        }
        guard reader.isAtEnd, Set(members.map(\.name)).count == members.count else {
            throw ManifestReader.Damage()
        }
        var manifest = Manifest(chain: Chain(members: members, counters: counters), mode: mode)
        manifest.isClosed = isClosed
        manifest.generation = generation
        manifest.fellBack = fellBack
        manifest.supportsFrags = supportsFrags
        manifest.verifiedInstructions = verified
        manifest.frame = frame
        manifest.counterPages = pages
        return manifest
    }

    private static func choice<Value>(
        _ values: [Value], _ reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> Value {
        let place = Int(try reader.integer(UInt8.self))
        guard values.indices.contains(place) else { throw ManifestReader.Damage() }
        return values[place]
    }

    // MARK: Members

    private static let modes: [Composition.Mode] = [.inline, .call, .unreachable]

    private static func write(_ member: Member, to writer: inout ManifestWriter) {
        writer.write(member.name)
        writer.write(member.origin)
        writer.write(member.digest)
        writer.write(member.priority)
        writer.write(each: member.edges.sorted { $0.key < $1.key }) { writer, edge in
            writer.write(UInt8(edge.key.rawValue))
            writer.write(edge.value.description)
        }
        writer.write(each: member.mapIDs) { $0.write($1) }
        writer.write(each: member.pins) { writer, pin in
            writer.write(pin.map)
            writer.write(pin.path)
        }
        writer.write(UInt32(bitPattern: Int32(clamping: member.counterSlot)))
        writer.write(each: member.counterBaseline.values) { writer, counter in
            writer.write(counter.packets)
            writer.write(counter.bytes)
        }
        writer.write(UInt8(modes.firstIndex(of: member.composition.mode) ?? 0))
        writer.write(member.composition.reason)
        write(member.unit, to: &writer)
    }

    private static func readMember(
        from reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> Member {
        let name = try reader.text()
        let origin = try reader.text()
        let digest = Array(try reader.bytes())
        let priority: UInt32 = try reader.integer()
        let edges = try reader.array { reader throws(ManifestReader.Damage) in
            guard let verdict = Verdict(rawValue: UInt32(try reader.integer(UInt8.self))) else {
                throw ManifestReader.Damage()
            }
            return (verdict, Edge(parsing: try reader.text()))
        }
        let mapIDs = try reader.array { reader throws(ManifestReader.Damage) in
            try reader.integer(UInt32.self)
        }
        let pins = try reader.array { reader throws(ManifestReader.Damage) in
            MapPin(map: try reader.text(), path: try reader.text())
        }
        let slot = Int(Int32(bitPattern: try reader.integer(UInt32.self)))
        let baseline = try reader.array { reader throws(ManifestReader.Damage) in
            Counter(packets: try reader.integer(), bytes: try reader.integer())
        }
        let mode = try choice(modes, &reader)
        let reason = try reader.text()
        let unit = try readUnit(from: &reader)
        guard Member.isValid(name: name), mapIDs.count == unit.maps.count,
            baseline.count == MemberCounters.count, slot >= -1, slot < 1 << 16
        else { throw ManifestReader.Damage() }
        var member = Member(name: name, origin: origin, digest: digest, unit: unit, mapIDs: mapIDs)
        member.priority = priority
        member.edges = Dictionary(edges) { $1 }
        member.pins = pins
        member.counterSlot = slot
        member.counterBaseline.values = baseline
        member.composition = Composition(mode: mode, reason: reason)
        return member
    }

    // MARK: Units

    private static func write(_ unit: Unit, to writer: inout ManifestWriter) {
        writer.write(unit.program)
        writer.write(unit.section)
        writer.write(unit.license)
        writer.write(unit.supportsFrags)
        writer.write(unit.mayThrow)
        writer.write(Instruction.encode(unit.instructions))
        writer.write(each: unit.maps) { writer, map in
            writer.write(map.name)
            writer.write(map.definition.name)
            writer.write(map.definition.type.rawValue)
            writer.write(map.definition.keySize)
            writer.write(map.definition.valueSize)
            writer.write(map.definition.maximumEntries)
            writer.write(map.definition.flags)
            writer.write(map.layout)
            writer.write(map.isInternal)
        }
        writer.write(each: unit.functions) { writer, function in
            writer.write(UInt32(clamping: function.instruction))
            writer.write(function.name)
        }
        var places: [String: UInt32] = [:]
        var texts: [String] = []
        func place(of text: String) -> UInt32 {
            if let known = places[text] { return known }
            places[text] = UInt32(texts.count)
            texts.append(text)
            return UInt32(texts.count - 1)
        }
        let lines = unit.lines.map { ($0, place(of: $0.file), place(of: $0.text)) }
        writer.write(each: texts) { $0.write($1) }
        writer.write(each: lines) { writer, entry in
            writer.write(UInt32(clamping: entry.0.instruction))
            writer.write(entry.1)
            writer.write(entry.2)
            writer.write(entry.0.position)
        }
        writer.write(each: unit.modules) { writer, module in
            writer.write(module.btfID)
            writer.write(module.name)
        }
    }

    private static func readUnit(from reader: inout ManifestReader) throws(ManifestReader.Damage) -> Unit {
        let program = try reader.text()
        let section = try reader.text()
        let license = try reader.text()
        let supportsFrags = try reader.bool()
        let mayThrow = try reader.bool()
        let code = Array(try reader.bytes())
        let instructions: [Instruction]
        do throws(BytecodeError) {
            instructions = try Instruction.decode(code)
        } catch {
            throw ManifestReader.Damage()
        }
        let maps = try reader.array { reader throws(ManifestReader.Damage) in
            let name = try reader.text()
            let definition = MapDefinition(
                name: try reader.text(), type: MapType(rawValue: try reader.integer()),
                keySize: try reader.integer(), valueSize: try reader.integer(),
                maximumEntries: try reader.integer(), flags: try reader.integer())
            return UnitMap(
                name: name, definition: definition, layout: Array(try reader.bytes()),
                isInternal: try reader.bool())
        }
        let functions = try reader.array { reader throws(ManifestReader.Damage) in
            DebugInformation.Function(
                instruction: Int(try reader.integer(UInt32.self)), name: try reader.text())
        }
        let texts = try reader.array { reader throws(ManifestReader.Damage) in try reader.text() }
        let lines = try reader.array { reader throws(ManifestReader.Damage) in
            let instruction = Int(try reader.integer(UInt32.self))
            let file = Int(try reader.integer(UInt32.self))
            let text = Int(try reader.integer(UInt32.self))
            guard texts.indices.contains(file), texts.indices.contains(text) else {
                throw ManifestReader.Damage()
            }
            return DebugInformation.Line(
                instruction: instruction, file: texts[file], text: texts[text],
                position: try reader.integer())
        }
        let modules = try reader.array { reader throws(ManifestReader.Damage) in
            PreparedProgram.KernelModule(btfID: try reader.integer(), name: try reader.text())
        }
        return Unit(
            program: program, section: section, license: license, supportsFrags: supportsFrags,
            mayThrow: mayThrow, instructions: instructions, maps: maps, functions: functions, lines: lines,
            modules: modules)
    }
}

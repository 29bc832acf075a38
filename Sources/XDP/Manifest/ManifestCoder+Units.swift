// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

extension ManifestCoder {
    static func write(_ unit: Unit, to writer: inout ManifestWriter) {
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
        writer.write(each: unit.types.map { [$0] } ?? []) { writer, types in
            writer.write(types.btfID)
            writer.write(types.functionRecords)
            writer.write(types.lineRecords)
        }
    }

    static func readUnit(from reader: inout ManifestReader) throws(ManifestReader.Damage) -> Unit {
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
        let types = try reader.optional { reader throws(ManifestReader.Damage) in
            OwnTypes(
                btfID: try reader.integer(), functionRecords: Array(try reader.bytes()),
                lineRecords: Array(try reader.bytes()))
        }
        return Unit(
            program: program, section: section, license: license, supportsFrags: supportsFrags,
            mayThrow: mayThrow, instructions: instructions, maps: maps, functions: functions, lines: lines,
            modules: modules, types: types)
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// The code of a program that is loaded, as its kernel translated it: whoever loaded it, and whatever holds it.
public struct LoadedCode: Sendable {
    /// What the kernel says of the program.
    public let information: ProgramInformation
    /// The instructions, with maps by place and callees by name.
    public let code: ProgramCode
    /// Why it could not be found out what is called; nil where it was.
    public let hidden: String?

    /// Reads a program by its id. Needs CAP_SYS_ADMIN, and CAP_SYSLOG to see what is called.
    public init(programID id: UInt32) throws(XDPError) {
        do throws(BPFError) {
            try self.init(try Program(id: id))
        } catch {
            throw XDPError(error, during: "Program \(id) cannot be read")
        }
    }

    /// Reads a program that is held.
    public init(_ program: borrowing Program) throws(BPFError) {
        let information = try program.information()
        let translated = try program.translated()
        let ids = try program.mapIDs()
        var maps: [UnitMap] = []
        var constants: [Int: [UInt8]] = [:]
        for (place, id) in ids.enumerated() {
            let handle = try MapHandle(id: id)
            maps.append(Self.map(handle.definition))
            do throws(BPFError) {
                constants[place] = try handle.map.constantValue()
            } catch {
                // What cannot be read is unknown.
            }
        }
        let name = FunctionName.whole(
            information.name, of: program, types: ProgramTypes(id: information.btfID))
        let (callees, hidden) = Self.callees(of: translated.instructions)
        self.information = information
        self.hidden = hidden
        code = ProgramCode(
            name: name, instructions: Self.withPlaces(translated.instructions, ids), maps: maps, mapIDs: ids,
            functions: translated.functions, lines: translated.lines, isTranslated: true, callees: callees,
            constants: constants)
    }

    /// libbpf calls the maps of global variables "object.section", cut to 15 bytes.
    private static func map(_ definition: MapDefinition) -> UnitMap {
        var own = definition
        let sections = [".rodata", ".data", ".bss", ".kconfig"]
        guard definition.type == .array, definition.maximumEntries == 1,
            let dot = definition.name.firstIndex(of: "."),
            sections.contains(where: {
                $0.hasPrefix(definition.name[dot...]) || definition.name[dot...].hasPrefix($0)
            })
        else { return UnitMap(name: definition.name, definition: definition) }
        own.name = String(definition.name[dot...])
        return UnitMap(name: own.name, definition: own, isInternal: true)
    }

    /// Names maps by place instead of by id.
    private static func withPlaces(_ dumped: [Instruction], _ ids: [UInt32]) -> [Instruction] {
        var instructions = dumped
        var index = 0
        while index < instructions.count {
            let kind = instructions[index].wideKind
            if kind == .mapDescriptor || kind == .mapValue {
                let id = UInt32(bitPattern: instructions[index].immediate)
                if let place = ids.firstIndex(of: id) {
                    let own: WideKind = kind == .mapDescriptor ? .mapIndex : .mapIndexValue
                    instructions[index].source = Register(rawValue: own.marker)
                    instructions[index].immediate = Int32(place)
                }
            } else if kind == .function, index + 1 < instructions.count {
                // The kernel keeps the number of the function there.
                instructions[index + 1].immediate = 0
            }
            index += instructions[index].slots
        }
        return instructions
    }

    // MARK: Callees

    private static func callees(
        of instructions: [Instruction]
    ) -> (callees: [Int: ProgramCode.Callee], hidden: String?) {
        let calls = instructions.enumerated().filter { $1.isCall && !$1.isSubprogramCall && !$1.isTailCall }
        let (names, hidden) = KernelSymbols.callees(Set(calls.map(\.element.immediate)))
        var callees: [Int: ProgramCode.Callee] = [:]
        for (index, instruction) in instructions.enumerated() where instruction.isTailCall {
            callees[index] = .helper(12)
        }
        var types: KernelTypes??
        for (index, call) in calls {
            if let name = names[call.immediate] {
                callees[index] =
                    call.isKernelFunctionCall ? .kernelFunction(name, module: nil) : callee(named: name)
            } else if call.isKernelFunctionCall, call.offset == 0, call.immediate > 0 {
                // Where calls reach everywhere the kernel leaves the type id.
                let known = types ?? KernelTypes()
                types = .some(known)
                let name = known?.functionName(UInt32(bitPattern: call.immediate))
                callees[index] = name.map { .kernelFunction($0, module: nil) } ?? .unknown
            } else {
                callees[index] = .unknown
            }
        }
        return (callees, hidden)
    }

    /// Numbers by name.
    private static let helpers: [String: UInt32] = {
        var numbers = Dictionary(uniqueKeysWithValues: HelperTable.all.map { ($0.name, $0.id) })
        numbers["bpf_user_rnd_u32"] = 7
        numbers["bpf_get_raw_cpu_id"] = 8
        numbers["bpf_xdp_event_output"] = 25
        return numbers
    }()

    /// Most helpers are functions of their own name, some have one for XDP: `bpf_xdp_fib_lookup`.
    private static func callee(named symbol: String) -> ProgramCode.Callee {
        if let number = helpers[symbol] { return .helper(number) }
        if symbol.hasPrefix("bpf_xdp_"), let number = helpers["bpf_" + symbol.dropFirst(8)] {
            return .helper(number)
        }
        return .symbol(symbol)
    }
}

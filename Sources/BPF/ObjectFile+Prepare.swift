// SPDX-License-Identifier: Apache-2.0
import Bytecode
import CBPF
import Glibc
import SystemPackage

extension ObjectFile {
    /// Creates the object's maps and relocates one program.
    ///
    /// - Parameters:
    ///   - name: the function's name.
    ///   - calleesHaveFrags: whether programs that the object puts into its program arrays are loaded with
    ///     multi-buffer support; it must be what the chain is loaded with.
    ///   - attachType: what such programs are loaded for; likewise.
    ///   - offloadInterface: the card for which maps are made, 0 for none.
    public consuming func prepare(
        program name: String, calleesHaveFrags: Bool, calleesAttachTo attachType: AttachType = .xdp,
        offloadInterface: UInt32 = 0
    ) throws(BPFError) -> PreparedObject {
        guard let chosen = programPointer(name) else {
            throw BPFError(
                "prepare the program", on: "\(name) of \(self.name)",
                kernelMessage: "there is no such program")
        }
        defer { _ = PrepareHook.take(chosen) }
        let callees = PrepareHook.Kind(hasFrags: calleesHaveFrags, attachType: attachType)
        var logs: [(program: String, buffer: UnsafeMutablePointer<CChar>)] = []
        defer { for log in logs { log.buffer.deallocate() } }
        for description in programs {
            guard let program = programPointer(description.name) else { continue }
            let isChosen = description.name == name
            let isCallee = tailCallees.contains(description.name) && description.isXDP
            bpf_program__set_autoload(program, isChosen || isCallee)
            if isChosen, !isCallee {
                PrepareHook.order(.capture, for: program)
            } else if isCallee {
                PrepareHook.order(
                    isChosen ? .captureAndLoad(callees) : .load(callees), for: program)
                let size = 1 << 20
                let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
                buffer.initialize(repeating: 0, count: size)
                bpf_program__set_log_buf(program, buffer, size)
                logs.append((description.name, buffer))
            }
        }
        defer {
            for description in programs {
                if let program = programPointer(description.name) { _ = PrepareHook.take(program) }
            }
        }
        for map in mapPointers() {
            if offloadInterface != 0 { bpf_map__set_ifindex(map, offloadInterface) }
            if bpf_map__type(map) == BPF_MAP_TYPE_STRUCT_OPS { bpf_map__set_autocreate(map, false) }
        }
        let outcome = LibbpfLog.collecting { bpf_object__load(object) }
        let capture = PrepareHook.take(chosen)
        defer { for copy in (capture?.moduleDescriptors ?? [:]).values { close(copy) } }
        guard outcome.result == 0 else {
            throw failure(-outcome.result, warnings: outcome.warnings, logs: logs, chosen: name)
        }
        guard let capture, !capture.instructions.isEmpty else {
            throw BPFError(
                "prepare the program", on: name,
                kernelMessage: "libbpf did not hand over its instructions",
                remedy: "libbpf 1.0 or newer is needed")
        }
        return try collect(name, capture)
    }

    private borrowing func failure(
        _ code: Int32, warnings: [String], logs: [(program: String, buffer: UnsafeMutablePointer<CChar>)],
        chosen: String
    ) -> BPFError {
        for (program, buffer) in logs {
            let log = VerifierLog(String(cString: buffer))
            guard let reason = log.reason, warnings.contains(where: { $0.contains("'\(program)'") }) else {
                continue
            }
            return BPFError(
                "load the tail callee", on: "\(program) of \(name)", errno: Errno(rawValue: code),
                kernelMessage: reason, verifierLog: log)
        }
        if let map = maps.first(where: { $0.definition.maximumEntries == 0 && $0.needsEntries }),
            warnings.contains(where: { $0.contains("'\(map.name)'") && $0.contains("failed to create") })
        {
            return BPFError(
                "create a map", on: "\(map.definition.type) \(map.name) of \(name)",
                errno: Errno(rawValue: code),
                kernelMessage: "the object declares it with max_entries 0, for its own loader to fill in",
                remedy: "Give the size with --max-entries \(map.name)=N")
        }
        return ObjectFailure.explain(
            "prepare the program \(chosen)", name, errno: Errno(rawValue: code), warnings: warnings)
    }

    private borrowing func collect(
        _ program: String, _ capture: PrepareHook.Capture
    ) throws(BPFError) -> PreparedObject {
        var handles: [MapHandle] = []
        var places: [Int32: Int32] = [:]
        for pointer in mapPointers() {
            let number = bpf_map__fd(pointer)
            let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
            guard number >= 0, copy >= 0 else {
                throw BPFError(
                    "take over a map", on: "\(String(cString: bpf_map__name(pointer))) of \(name)",
                    errno: Errno(rawValue: errno))
            }
            places[number] = Int32(handles.count)
            handles.append(try MapHandle(BPFMap(owning: Descriptor(owning: copy))))
        }
        let decoded: [Instruction]
        do throws(BytecodeError) {
            decoded = try Instruction.decode(capture.instructions)
        } catch {
            throw BPFError("read the instructions", on: program, kernelMessage: "\(error)")
        }
        var references = ModuleReferences(capture)
        let instructions = try relocate(decoded, places: places, modules: &references)
        let records = DebugRecords(capture, btf: btf())
        let section = programs.first { $0.name == program }?.section ?? ""
        return PreparedObject(
            program: PreparedProgram(
                name: program, section: section, license: license, supportsFrags: capture.supportsFrags,
                instructions: instructions, functions: records.functions, lines: records.lines,
                modules: references.modules, hasBTF: capture.hasBTF,
                types: capture.types.map { DebugRecords.types(capture, btfID: $0.id) }),
            maps: handles, types: capture.types)
    }

    /// Names maps and modules by place instead of by descriptor.
    private borrowing func relocate(
        _ decoded: [Instruction], places: [Int32: Int32], modules: inout ModuleReferences
    ) throws(BPFError) -> [Instruction] {
        var instructions = decoded
        var place = 0
        while place < instructions.count {
            let instruction = instructions[place]
            if instruction.isKernelFunctionCall, instruction.offset > 0 {
                instructions[place].offset = try modules.place(ofArrayIndex: Int(instruction.offset))
            } else if let kind = instruction.wideKind {
                switch kind {
                case .mapDescriptor, .mapValue:
                    guard let map = places[instruction.immediate] else {
                        throw BPFError(
                            "read the instructions", on: name,
                            kernelMessage: "instruction \(place) refers to a map that is not the object's")
                    }
                    instructions[place].immediate = map
                    let newKind: WideKind = kind == .mapDescriptor ? .mapIndex : .mapIndexValue
                    instructions[place].source = Register(rawValue: newKind.marker)
                case .btfID where place + 1 < instructions.count && instructions[place + 1].immediate > 0:
                    instructions[place + 1].immediate = Int32(
                        try modules.place(ofDescriptor: instructions[place + 1].immediate))
                default: break
                }
                place += 1
            }
            place += 1
        }
        return instructions
    }
}

extension ObjectFile.ObjectMap {
    /// Whether the kernel refuses the type without a number of entries; libbpf fills in the others.
    fileprivate var needsEntries: Bool {
        definition.type != .perfEventArray
    }
}

/// The modules that a program refers to, in the order of their first use.
private struct ModuleReferences {
    private let capture: PrepareHook.Capture
    private(set) var modules: [PreparedProgram.KernelModule] = []

    init(_ capture: PrepareHook.Capture) {
        self.capture = capture
    }

    mutating func place(ofArrayIndex index: Int) throws(BPFError) -> Int16 {
        guard capture.descriptorArray.indices.contains(index) else {
            throw BPFError(
                "read the instructions", kernelMessage: "a call refers to an unknown kernel module")
        }
        return try place(ofDescriptor: capture.descriptorArray[index])
    }

    /// The place plus one: 0 means vmlinux.
    mutating func place(ofDescriptor original: Int32) throws(BPFError) -> Int16 {
        guard let copy = capture.moduleDescriptors[original] else {
            throw BPFError(
                "read the instructions", kernelMessage: "a call refers to an unknown kernel module")
        }
        let module = try KernelBTF.identify(copy)
        if let known = modules.firstIndex(of: module) { return Int16(known + 1) }
        modules.append(module)
        return Int16(clamping: modules.count)
    }
}

/// Function and line records in the form that other objects' records can be merged with.
private struct DebugRecords {
    var functions: [DebugInformation.Function] = []
    var lines: [DebugInformation.Line] = []

    /// The records as they are, cut to the fields that every kernel knows.
    static func types(_ capture: PrepareHook.Capture, btfID: UInt32) -> OwnTypes {
        func cut(_ bytes: [UInt8], _ size: Int, to kept: Int) -> [UInt8] {
            guard size >= kept else { return [] }
            return stride(from: 0, through: bytes.count - size, by: size).flatMap { bytes[$0..<($0 + kept)] }
        }
        return OwnTypes(
            btfID: btfID,
            functionRecords: cut(capture.functionRecords, capture.functionRecordSize, to: 8),
            lineRecords: cut(capture.lineRecords, capture.lineRecordSize, to: 16))
    }

    init(_ capture: PrepareHook.Capture, btf: BTFView?) {
        guard let btf else { return }
        let functionReader = ByteReader(capture.functionRecords)
        if capture.functionRecordSize >= 8 {
            for start in stride(from: 0, to: capture.functionRecords.count, by: capture.functionRecordSize) {
                guard let instruction: UInt32 = functionReader.integer(at: start),
                    let type: UInt32 = functionReader.integer(at: start + 4)
                else { continue }
                functions.append(.init(instruction: Int(instruction), name: btf.name(type)))
            }
        }
        let lineReader = ByteReader(capture.lineRecords)
        guard capture.lineRecordSize >= 16 else { return }
        for start in stride(from: 0, to: capture.lineRecords.count, by: capture.lineRecordSize) {
            guard let instruction: UInt32 = lineReader.integer(at: start),
                let file: UInt32 = lineReader.integer(at: start + 4),
                let text: UInt32 = lineReader.integer(at: start + 8),
                let position: UInt32 = lineReader.integer(at: start + 12)
            else { continue }
            lines.append(
                .init(
                    instruction: Int(instruction), file: btf.string(file), text: btf.string(text),
                    position: position))
        }
    }
}

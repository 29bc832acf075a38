// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Something that a program needs of the kernel.
public struct KernelRequirement: Sendable, Hashable {
    public enum Subject: Sendable, Hashable {
        /// By its number (`enum bpf_func_id`).
        case helper(UInt32)
        case kernelFunction(String, module: String?)
        case mapType(MapType)
        case feature(KernelFeature)
    }

    public var subject: Subject
    /// The instructions that need it; none where the whole program does.
    public var instructions: [Int]

    public init(_ subject: Subject, at instructions: [Int] = []) {
        self.subject = subject
        self.instructions = instructions
    }

    /// What it is called: "bpf_loop", "devmap", "mcpu-v4".
    public var name: String {
        switch subject {
        case .helper(let id): HelperTable.name(id)
        case .kernelFunction(let name, _): name
        case .mapType(let type): type.description
        case .feature(let feature): feature.rawValue
        }
    }

    /// The Linux release that brought it; nil where it is not known.
    public var since: String? {
        switch subject {
        case .helper(let id): HelperTable.entry(id)?.since
        case .kernelFunction(let name, _): KernelFunctionTable.entry(named: name)?.since
        case .mapType(let type): MapTypeTrial.since(type)
        case .feature(let feature): feature.since
        }
    }

    /// Whether this kernel has it, for XDP programs.
    public func support() -> Support {
        switch subject {
        case .helper(let id): KernelSurvey.support(forHelper: id)
        case .kernelFunction(let name, let module):
            KernelSurvey.support(forKernelFunction: name, module: module)
        case .mapType(let type): KernelSurvey.support(forMapType: type)
        case .feature(let feature): KernelSurvey.support(for: feature)
        }
    }

    /// Whether this kernel has it at all, as far as trying it showed; nil where that is not known.
    public func exists() -> Bool? {
        guard support() == .unsupported else { return true }
        switch subject {
        case .helper(let id): return HelperTrial.exists(id)
        case .kernelFunction(let name, let module): return KernelFunctionTrial.exists(name, module: module)
        case .mapType, .feature: return false
        }
    }

    /// Why it cannot be had: "bpf_loop is not in this kernel; Linux has it since 5.17".
    public func lack() -> String {
        let release = since.map { "; Linux has it since \($0)" } ?? ""
        if case .helper(HelperTable.relocationWithoutTarget) = subject {
            return "a field or type that the program needs is not in this kernel (a CO-RE relocation without "
                + "a target)"
        }
        if case .feature(let feature) = subject {
            return "this kernel has no \(feature.rawValue) (\(feature.title))\(release)"
        }
        if exists() == true { return "this kernel has \(name), but not for XDP programs" }
        if case .mapType = subject { return "this kernel has no maps of the type \(name)\(release)" }
        return "\(name) is not in this kernel\(release)"
    }
}

extension KernelRequirement {
    /// What instructions need that not every kernel has, in the order of their first use. Code that never runs
    /// counts too.
    ///
    /// - Parameter kernelFunction: the name of a kernel function that is called, by its type id and its module's
    ///   place.
    static func all(
        of instructions: [Instruction], maps: [UnitMap] = [],
        kernelFunction: (_ id: Int32, _ module: Int16) -> (name: String, module: String?)? = { _, _ in nil }
    ) -> [KernelRequirement] {
        var found: [KernelRequirement] = []
        var places: [Subject: Int] = [:]
        func note(_ subject: Subject, _ instruction: Int? = nil) {
            if let place = places[subject] {
                if let instruction { found[place].instructions.append(instruction) }
            } else {
                places[subject] = found.count
                found.append(KernelRequirement(subject, at: instruction.map { [$0] } ?? []))
            }
        }
        var index = 0
        while index < instructions.count {
            let instruction = instructions[index]
            // Numbers beyond are what libbpf puts in the place of what the kernel lacks.
            if let helper = instruction.helperCall, helper > 0, helper < 1 << 16 {
                note(.helper(UInt32(helper)), index)
            } else if instruction.isKernelFunctionCall, instruction.immediate > 0 {
                note(.feature(.kernelFunctions), index)
                if let (name, module) = kernelFunction(instruction.immediate, instruction.offset) {
                    note(.kernelFunction(name, module: module), index)
                }
            }
            for feature in KernelFeature.needed(by: instruction) { note(.feature(feature), index) }
            index += instruction.slots
        }
        for map in maps { note(.mapType(map.definition.type)) }
        return found
    }
}

extension KernelFeature {
    /// What an instruction needs beyond the first ones; nothing for most.
    static func needed(by instruction: Instruction) -> [KernelFeature] {
        let opcode = instruction.opcode
        switch opcode {
        case .longJump: return [.longJumps]
        case .mayGoto: return [.mayGoto]
        default: break
        }
        if instruction.isFunctionLoad { return [.callbacks] }
        if let operation = instruction.atomicOperation {
            if operation == .loadAcquire || operation == .storeRelease { return [.orderedAtomics] }
            return operation == .add ? [] : [.atomics]
        }
        if opcode.mode == .signedMemory, opcode.instructionClass == .ldx { return [.instructionsV4] }
        switch opcode.arithmeticOperation {
        case .move where instruction.offset != 0: return [.instructionsV4]
        case .divide where instruction.offset != 0, .modulo where instruction.offset != 0:
            return [.instructionsV4]
        case .byteSwap where opcode.instructionClass == .alu64: return [.instructionsV4]
        default: break
        }
        guard let condition = instruction.condition else { return [] }
        if opcode.instructionClass == .jump32 { return [.instructionsV3] }
        switch condition {
        case .less, .lessOrEqual, .signedLess, .signedLessOrEqual: return [.instructionsV2]
        default: return []
        }
    }
}

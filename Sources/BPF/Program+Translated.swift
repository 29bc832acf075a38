// SPDX-License-Identifier: Apache-2.0
import Bytecode
import CBPF
import SystemPackage

/// A loaded program as the kernel translated it, and what belongs to its instructions.
public struct TranslatedProgram: Sendable {
    /// As the kernel dumps them: maps by id in loads of the kinds `mapDescriptor` and `mapValue`, helpers and
    /// kernel functions by their distance from `__bpf_call_base`, functions of the program as
    /// ``Program/translated()`` says.
    public let instructions: [Instruction]
    public let functions: [DebugInformation.Function]
    public let lines: [DebugInformation.Line]
}

extension Program {
    /// Reads what the kernel made of the program's instructions.
    ///
    /// Calls of the program's own functions lead where their immediates say, as in a program to be loaded. Needs
    /// CAP_BPF; what is called shows only where the kernel does not hide its addresses (kernel.kptr_restrict,
    /// CAP_SYSLOG): else the calls' immediates are 0. Throws where the kernel hides the instructions, as it does
    /// with net.core.bpf_jit_harden.
    public borrowing func translated() throws(BPFError) -> TranslatedProgram {
        let operation = "read the program's instructions"
        var info = bpf_prog_info()
        try ObjectInformation.read(&info, from: descriptor, kind: "program")
        let subject = "program \(info.id)"
        let size = Int(info.xlated_prog_len)
        guard size > 0 else {
            throw BPFError(
                operation, on: subject, kernelMessage: "the kernel does not show them",
                remedy: Capability.remedy(for: [.bpf]))
        }
        let memory = CallMemory(zeros: size)
        let types = ProgramTypes(id: info.btf_id)
        let functions = try records(info.nr_func_info, info.func_info_rec_size, minimum: 8) {
            $0.func_info = $1
            $0.nr_func_info = $2
            $0.func_info_rec_size = $3
        }
        let lines = try records(info.nr_line_info, info.line_info_rec_size, minimum: 16) {
            $0.line_info = $1
            $0.nr_line_info = $2
            $0.line_info_rec_size = $3
        }
        info = bpf_prog_info()
        info.xlated_prog_len = UInt32(size)
        info.xlated_prog_insns = memory.address
        try ObjectInformation.read(&info, from: descriptor, kind: "program")
        guard info.xlated_prog_insns != 0, Int(info.xlated_prog_len) == size else {
            throw BPFError(
                operation, on: subject, kernelMessage: "the kernel hides them",
                remedy:
                    "With net.core.bpf_jit_harden the kernel shows them only to those with CAP_SYSLOG, where "
                    + "kernel.kptr_restrict is below 2")
        }
        let decoded: [Instruction]
        do throws(BytecodeError) {
            decoded = try Instruction.decode(memory.bytes())
        } catch {
            throw BPFError(operation, on: subject, kernelMessage: "\(error)")
        }
        let starts = functions.map { Int($0.integer(at: 0, as: UInt32.self) ?? 0) }
        return TranslatedProgram(
            instructions: Self.withDistances(decoded, starts: starts, isCompiled: info.jited_prog_len > 0),
            functions: functions.compactMap { record in
                guard let instruction: UInt32 = record.integer(at: 0),
                    let type: UInt32 = record.integer(at: 4),
                    let name = types?.functionName(type)
                else { return nil }
                return DebugInformation.Function(instruction: Int(instruction), name: name)
            },
            lines: lines.compactMap { record in
                guard let types, let instruction: UInt32 = record.integer(at: 0),
                    let file: UInt32 = record.integer(at: 4), let text: UInt32 = record.integer(at: 8),
                    let position: UInt32 = record.integer(at: 12)
                else { return nil }
                return DebugInformation.Line(
                    instruction: Int(instruction), file: types.string(file), text: types.string(text),
                    position: position)
            })
    }

    /// The records of one kind, each on its own; none where the kernel has none.
    private borrowing func records(
        _ count: UInt32, _ size: UInt32, minimum: UInt32,
        _ ask: (inout bpf_prog_info, _ address: UInt64, _ count: UInt32, _ size: UInt32) -> Void
    ) throws(BPFError) -> [ByteReader] {
        // A program has at most a million instructions.
        guard count > 0, count <= 1 << 20, size >= minimum, size <= 256 else { return [] }
        let memory = CallMemory(zeros: Int(count) * Int(size))
        var info = bpf_prog_info()
        ask(&info, memory.address, count, size)
        try ObjectInformation.read(&info, from: descriptor, kind: "program")
        let bytes = memory.bytes()
        return (0..<Int(count)).map { ByteReader(Array(bytes[($0 * Int(size))..<(($0 + 1) * Int(size))])) }
    }

    /// The kernel moves the distance of a call into the offset, which has 16 bits; a compiled call has the number
    /// of the function in the immediate.
    private static func withDistances(
        _ decoded: [Instruction], starts: [Int], isCompiled: Bool
    ) -> [Instruction] {
        var instructions = decoded
        var index = 0
        while index < instructions.count {
            let instruction = instructions[index]
            if instruction.isSubprogramCall {
                var distance = Int(instruction.offset)
                let number = Int(instruction.immediate)
                if isCompiled, starts.indices.contains(number) {
                    let exact = starts[number] - index - 1
                    // Only what the offset could not hold.
                    if Int16(truncatingIfNeeded: exact) == instruction.offset { distance = exact }
                }
                instructions[index].immediate = Int32(clamping: distance)
                instructions[index].offset = 0
            }
            index += instruction.slots
        }
        return instructions
    }
}

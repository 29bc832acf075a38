// SPDX-License-Identifier: Apache-2.0
import Bytecode
import CBPF
import SystemPackage

/// Asks whether the kernel takes programs that patch its functions or those of other programs.
public enum TrampolineProbe {
    /// What the kernel answered.
    public enum Answer: Sendable, Hashable {
        case taken
        /// Refused by the program's type alone, before anything else of it was looked at.
        case refused
        /// It could not be found out, and why.
        case unknown(String)
    }

    /// Loads a program that cannot be right: what the kernel complains of first tells how far it got.
    public static func ask() -> Answer {
        if let remedy = Capability.remedy(for: [.bpf, .performanceMonitoring]) { return .unknown(remedy) }
        let instructions = CallMemory(Instruction.encode([.move(.r0, 0), .exit]))
        let license = CallMemory("GPL")
        var attributes = bpf_attr()
        attributes.prog_type = BPF_PROG_TYPE_TRACING.rawValue
        attributes.expected_attach_type = BPF_TRACE_FENTRY.rawValue
        attributes.attach_btf_id = 1
        attributes.insn_cnt = 2
        attributes.insns = instructions.address
        attributes.license = license.address
        do throws(Errno) {
            _ = try KernelDoor.descriptor(.programLoad, &attributes)
            withExtendedLifetime(license) {}
            return .taken
        } catch {
            return error == .notPermitted ? .refused : .taken
        }
    }
}

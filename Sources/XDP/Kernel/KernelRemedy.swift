// SPDX-License-Identifier: Apache-2.0
import BPF

/// What helps where the verifier complains of something that this kernel does not have.
enum KernelRemedy {
    /// A member and what it needs that this kernel lacks.
    struct Lack {
        let member: String
        let requirements: [KernelRequirement]
    }

    private static let way = "use a newer kernel, or rebuild the program without it"
    /// What every supported kernel takes, and what not.
    static let instructionSets =
        "It has instructions that this kernel does not know: objects built with clang -mcpu=v2 load everywhere, "
        + "the fetching atomics of -mcpu=v3 need Linux 5.12, -mcpu=v4 needs 6.6"

    /// For a complaint that names what is missing; nil for every other.
    static func named(in reason: String) -> String? {
        if let helper = helper(in: reason) {
            let name = HelperTable.name(helper)
            // The number is beyond what the kernel has.
            guard reason.contains("invalid func") else {
                return "This kernel has \(name), but not for XDP programs as it is built: \(way)"
            }
            let since = HelperTable.entry(helper).map { "; Linux has it since \($0.since)" } ?? ""
            return "\(name) is not in this kernel\(since): \(way)"
        }
        if let name = kernelFunction(in: reason) {
            let since =
                KernelFunctionTable.entry(named: name).map { " (Linux has it since \($0.since))" } ?? ""
            return "This kernel does not let XDP programs call \(name)\(since): \(way)"
        }
        return nil
    }

    /// Whether a complaint is of the form of the code, as that of a kernel is which does not know it.
    static func isAboutForm(_ reason: String) -> Bool {
        let signs = [
            "uses reserved fields", "unknown opcode", "invalid BPF_ALU opcode", "unknown insn class",
            "bpf_ld_imm64 insn", "number of funcs in func_info", "invalid atomic op", "invalid BPF_LD mode",
            "calling kernel function",
        ]
        return signs.contains { reason.contains($0) }
    }

    /// What members need that this kernel lacks, found out by trying.
    static func lacks(of members: [Member]) -> [Lack] {
        members.compactMap { member in
            let missing = KernelRequirement.all(of: member.unit.instructions).filter {
                $0.support() == .unsupported
            }
            return missing.isEmpty ? nil : Lack(member: member.name, requirements: missing)
        }
    }

    /// What helps a member that needs what this kernel lacks.
    static func remedy(for lacks: [Lack], reason: String) -> String? {
        guard !lacks.isEmpty else {
            let isOpcode = reason.contains("opcode") || reason.contains("reserved fields")
            return isOpcode ? instructionSets : nil
        }
        let texts = lacks.map { lack in
            "\(lack.member) needs what this kernel lacks: "
                + lack.requirements.map { "\($0.name)\($0.since.map { " (Linux \($0))" } ?? "")" }
                .joined(separator: ", ")
        }
        let isInstructions = lacks.contains { lack in
            lack.requirements.contains { requirement in
                guard case .feature(let feature) = requirement.subject else { return false }
                return [.atomics, .instructionsV4, .longJumps].contains(feature)
            }
        }
        return texts.joined(separator: "; ") + ". Use a newer kernel"
            + (isInstructions
                ? ", or build with clang -mcpu=v2, which loads everywhere (the fetching atomics of v3 need "
                    + "Linux 5.12, v4 needs 6.6)"
                : ", or rebuild the program without it")
    }

    /// libbpf's complaint of a kernel function that is not in the kernel: "extern (func ksym) 'bpf_throw': not
    /// found in kernel or module BTFs".
    static func named(inObjectFailure text: String) -> String? {
        guard text.contains("extern (func ksym)"), let name = quoted(in: text),
            let entry = KernelFunctionTable.entry(named: name)
        else { return nil }
        let module = entry.module.map { ", load the module \($0)" } ?? ""
        return
            "\(name) is not in this kernel; Linux has it since \(entry.since): use a newer kernel\(module), or "
            + "declare it __weak and test it"
    }

    private static func quoted(in text: String) -> String? {
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        return parts.count > 2 ? String(parts[1]) : nil
    }

    /// "unknown func bpf_loop#181", "invalid func unknown#181", "program of this type cannot use helper
    /// bpf_loop#181".
    private static func helper(in reason: String) -> UInt32? {
        guard
            ["unknown func ", "invalid func ", "cannot use helper "].contains(where: { reason.contains($0) }),
            let mark = reason.lastIndex(of: "#")
        else { return nil }
        return UInt32(reason[reason.index(after: mark)...].prefix { $0.isNumber })
    }

    /// "calling kernel function bpf_x is not allowed"
    private static func kernelFunction(in reason: String) -> String? {
        let start = "calling kernel function "
        guard let range = reason.firstRange(of: start), reason.contains(" is not allowed") else { return nil }
        return reason[range.upperBound...].split(separator: " ").first.map(String.init)
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import SystemPackage

/// Says which member a rejected chain was rejected for, and where in its source.
struct VerifierExplanation {
    let linked: LinkedProgram
    let chain: Chain

    init(_ linked: LinkedProgram, _ chain: Chain) {
        self.linked = linked
        self.chain = chain
    }

    func explain(_ error: BPFError) -> XDPError {
        guard let log = error.verifierLog, let reason = log.reason else {
            return XDPError(error, during: "The chain cannot be loaded")
        }
        let details = log.text
        let lacks = KernelRemedy.isAboutForm(reason) ? KernelRemedy.lacks(of: chain.members) : []
        if let special = budget(reason, details) ?? license(reason, details) { return special }
        if let instruction = log.lastInstruction,
            let tap = linked.taps.first(where: { $0.range.contains(instruction) })
        {
            return XDPError(
                .failed, "The verifier rejects the code of \(tap.name)",
                because: "\(reason) (instruction \(instruction - tap.range.lowerBound))",
                remedy: error.remedy ?? "The whole log is shown by --verbose", details: details)
        }
        guard let instruction = log.lastInstruction, let origin = linked.origin(of: instruction) else {
            let suspects = lacks.isEmpty ? suspects(reason) : lacks.map(\.member).joined(separator: " or ")
            return XDPError(
                .failed, "The verifier rejects \(suspects)", because: reason,
                remedy: remedy(reason, lacks) ?? error.remedy, details: details)
        }
        let name = chain.members[origin.member].name
        let unit = chain.members[origin.member].unit
        var place = "in the code between members, after \(name)"
        if let unitInstruction = origin.unitInstruction {
            place = "instruction \(unitInstruction) of \(unit.program)"
            if let line = unit.lines.last(where: { $0.instruction <= unitInstruction }) {
                let text = String(line.text.drop { $0 == " " || $0 == "\t" })
                place = "\(line.file):\(line.position >> 10): \(text)"
            }
        }
        return XDPError(
            .failed, "The verifier rejects \(name)", because: "\(reason) (\(place))",
            remedy: remedy(reason, lacks.filter { $0.member == name }) ?? error.remedy, details: details)
    }

    /// Who may be meant where the log names no instruction: kernel functions are looked at before the rest.
    private func suspects(_ reason: String) -> String {
        let callers = chain.members.filter { member in
            reason.contains("kfunc") && member.unit.instructions.contains(where: \.isKernelFunctionCall)
        }
        return callers.isEmpty ? "the chain" : callers.map(\.name).joined(separator: " or ")
    }

    /// What helps a program that reads a field which this kernel does not have.
    static let missingFieldRemedy =
        "It reads a field of a kernel structure that this kernel does not have (a CO-RE relocation "
        + "without a target): use another kernel, or test for it with bpf_core_field_exists"

    private func remedy(_ reason: String, _ lacks: [KernelRemedy.Lack]) -> String? {
        if reason.contains("#\(HelperTable.relocationWithoutTarget)") { return Self.missingFieldRemedy }
        if reason.contains("prohibited"), let lack = Capability.remedy(for: [.performanceMonitoring]) {
            return chain.counters == .bytes
                ? "\(lack). The counting of bytes needs it too; --counters packets does not" : lack
        }
        if reason.contains("metadata kfuncs require device-bound program") {
            return "It reads hardware metadata, which needs a program of its own bound to the device"
        }
        if let named = KernelRemedy.named(in: reason) { return named }
        if KernelRemedy.isAboutForm(reason), let way = KernelRemedy.remedy(for: lacks, reason: reason) {
            return way
        }
        if reason.contains("bpf_context access off=20") {
            return "It reads egress_ifindex, which only programs in a devmap have"
        }
        return "The whole log is shown by --verbose"
    }

    private func budget(_ reason: String, _ details: String) -> XDPError? {
        guard reason.contains("is too large") || reason.contains("too complex") else { return nil }
        return XDPError(
            .refused,
            linked.taps.isEmpty
                ? "The chain is too much for the verifier"
                : "The chain with its captures is too much for the verifier",
            because: reason,
            remedy: "All members of a chain share one million instructions of verification: take one away"
                + (linked.taps.isEmpty
                    ? ""
                    : ", or capture at fewer points (--at), each of which counts, by a shorter expression, "
                        + "or (before Linux 5.18) fewer bytes of each packet (-s 96)"),
            details: details)
    }

    private func license(_ reason: String, _ details: String) -> XDPError? {
        guard reason.contains("GPL-restricted") || reason.contains("GPL compatible") else { return nil }
        let strangers = chain.members.filter { !$0.unit.isGPLCompatible }.map {
            "\($0.name) (\"\($0.unit.license)\")"
        }
        guard !strangers.isEmpty, let log = VerifierLog(details).lastInstruction,
            let origin = linked.origin(of: log)
        else { return nil }
        let name = chain.members[origin.member].name
        let unit = chain.members[origin.member].unit
        guard unit.isGPLCompatible else {
            return XDPError(
                .refused, "\(name) cannot be loaded",
                because: "it is licensed as \"\(unit.license)\" and calls a function that the kernel keeps "
                    + "for GPL programs (\(reason))",
                remedy: "Use a build under a GPL-compatible licence", details: details)
        }
        return XDPError(
            .refused, "\(name) cannot share a chain with \(strangers.joined(separator: ", "))",
            because: "\(name) calls a function that the kernel keeps for GPL programs, and a chain with a "
                + "member under another licence is none (\(reason))",
            remedy: "Load them on different interfaces, or use a build under a GPL-compatible licence",
            details: details)
    }
}

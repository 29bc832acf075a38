// SPDX-License-Identifier: Apache-2.0

/// Programs of others, none of which xdpctl needs.
enum ToolCheck: MachineCheck {
    static let group = CheckGroup.tools

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        findings.fine(
            .tool, of: "libbpf", "xdpctl uses \(facts.libbpf)", evidence: ["libbpf_version_string()"])
        for tool in Tool.allCases {
            let rule: Rule = tool == .clang ? .compiler : .tool
            switch facts.tools[tool] ?? .unknown("it was not looked for") {
            case .unknown(let reason): findings.unknown(rule, of: tool.rawValue, because: reason)
            case .known(nil):
                findings.add(
                    rule, of: tool.rawValue, "it is not installed", evidence: ["it is not in PATH"],
                    consequence: "without it \(tool.loss)",
                    remedy: "Debian: `apt install \(tool.package)`", repair: .byHand)
            case .known(let version?):
                let evidence = ["\(version.path.withoutControls): \(version.line)"]
                if version.targetsBPF == false {
                    findings.add(
                        rule, of: tool.rawValue, "it cannot compile for BPF",
                        evidence: evidence + ["clang --print-targets: no bpf"],
                        consequence:
                            "XDP programs cannot be compiled here; objects that were compiled elsewhere can be "
                            + "loaded",
                        remedy:
                            "Install a clang that was built with the BPF target; Debian: `apt install clang`",
                        repair: .byHand)
                } else {
                    findings.fine(rule, of: tool.rawValue, "it is installed", evidence: evidence)
                }
            }
        }
    }
}

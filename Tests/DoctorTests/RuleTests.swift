// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import Testing
import XDP

@testable import Doctor

/// Each rule on a machine that it is about, and on one that it is not. Any user may run these.
@Suite("Rules of doctor")
struct RuleTests {
    /// Machines on which a rule applies, and what it names there.
    static let cases: [(rule: Rule, subject: String, machine: MachineFacts)] = {
        let healthy = MachineFacts.healthy
        let generic = InterfaceFact.Attachment(mode: .generic, programID: 9)
        var cases: [(Rule, String, MachineFacts)] = [
            (.kernelBPF, "CONFIG_BPF_SYSCALL", healthy.without("CONFIG_BPF_SYSCALL")),
            (.kernelBPF, "CONFIG_BPF", healthy.without("CONFIG_BPF")),
            (.kernelJIT, "CONFIG_BPF_JIT", healthy.without("CONFIG_BPF_JIT")),
            (.kernelJITAlways, "CONFIG_BPF_JIT_ALWAYS_ON", healthy.without("CONFIG_BPF_JIT_ALWAYS_ON")),
            (.kernelSockets, "CONFIG_XDP_SOCKETS", healthy.without("CONFIG_XDP_SOCKETS")),
            (.kernelTypes, "CONFIG_DEBUG_INFO_BTF", healthy.without("CONFIG_DEBUG_INFO_BTF")),
            (.kernelTypes, "/sys/kernel/btf/vmlinux", healthy.with { $0.kernelTypes = .known(0) }),
            (
                .testModule, "CONFIG_TEST_BPF",
                healthy.with {
                    var options = KernelConfiguration.complete
                    options.values["CONFIG_TEST_BPF"] = "y"
                    $0.options = .known(options)
                }
            ),
            (.testModule, "CONFIG_TEST_BPF", healthy.with { $0.isTestModuleLoaded = true }),
            (
                .unprivilegedBPF, "kernel.unprivileged_bpf_disabled",
                healthy.with(.unprivilegedBPF, 0)
            ),
            (.jitOff, "net.core.bpf_jit_enable", healthy.with(.jitEnable, 0)),
            (.jitDebug, "net.core.bpf_jit_enable", healthy.with(.jitEnable, 2)),
            (.jitHardening, "net.core.bpf_jit_harden", healthy.with(.jitHarden, 2)),
            (.jitNames, "net.core.bpf_jit_kallsyms", healthy.with(.jitNames, 0)),
            (.jitMemory, "net.core.bpf_jit_limit", healthy.with(.jitLimit, 1200)),
            (.kernelPointers, "kernel.kptr_restrict", healthy.with(.perfEvents, 1)),
            (.pointersHidden, "kernel.kptr_restrict", healthy.with(.kernelPointers, 2)),
            (
                .perfEvents, "kernel.perf_event_paranoid",
                healthy.with(.kernelPointers, 1).with(.perfEvents, -1)
            ),
            (
                .retpolines, "spectre_v2",
                healthy.with("spectre_v2", "Mitigation: Retpolines; STIBP: disabled")
            ),
            (.vulnerable, "spectre_v2", healthy.with("spectre_v2", "Vulnerable; STIBP: disabled")),
            (
                .vulnerable, "spectre_v2",
                healthy.with("spectre_v2", "Vulnerable: eIBRS with unprivileged eBPF")
            ),
            (.vulnerable, "retbleed", healthy.with("retbleed", "Vulnerable")),
            (.lockdown, "lockdown", healthy.with { $0.lockdown = .known(.confidentiality) }),
            (
                .bpfModule, "security modules",
                healthy.with { $0.securityModules = SecurityModules(text: "lockdown,capability").fact }
            ),
            (.bpffs, "/sys/fs/bpf", healthy.with { $0.fileSystems = [] }),
            (.tracefs, "/sys/kernel/tracing", healthy.with { $0.mounts = .known([]) }),
            (
                .memoryLimit, "memory of maps",
                healthy.with { $0.memory = .lockedMemory(soft: 65536, hard: nil) }
            ),
            (.trampolines, "freplace, fentry, fexit", healthy.with { $0.trampolines = .unsupported }),
            (.genericMode, "eth1", healthy.with(InterfaceFact(name: "eth1", attachments: [generic]))),
            (
                .genericOnly, "tun0",
                healthy.with(InterfaceFact(name: "tun0", attachments: [generic], native: .unsupported))
            ),
            (
                .genericOnly, "eth1",
                healthy.with(
                    InterfaceFact(name: "eth1", attachments: [generic], native: .unknown("old kernel")))
            ),
            (.orphan, "program 9 (lonely)", healthy.with(.init(id: 9, name: "lonely"))),
            (.onlyPinned, "program 9", healthy.with(.init(id: 9, name: "", pins: ["/sys/fs/bpf/x"]))),
            (
                .lostChain, "/sys/fs/bpf/xdpctl/link-4",
                healthy.with {
                    $0.lostChains = [.init(members: ["ids", "lb"], path: "/sys/fs/bpf/xdpctl/link-4")]
                }
            ),
            (
                .stalePin, "/sys/fs/bpf/xdpctl/array-4",
                healthy.with {
                    $0.stalePins = [StalePin(path: "/sys/fs/bpf/xdpctl/array-4", reason: .unusedArray)]
                }
            ),
            (.openToAll, "/sys/fs/bpf/map", healthy.with(PinFact(path: "/sys/fs/bpf/map", mode: 0o666))),
            (.openToGroup, "/sys/fs/bpf/map", healthy.with(PinFact(path: "/sys/fs/bpf/map", mode: 0o640))),
            (.tool, "bpftool", healthy.with(.bpftool, .known(nil))),
            (.compiler, "clang", healthy.with(.clang, .known(nil))),
            (
                .compiler, "clang",
                healthy.with(
                    .clang, .known(ToolVersion(path: "/usr/bin/clang", line: "clang", targetsBPF: false)))
            ),
        ]
        for option in [
            "CGROUP_BPF", "NET_CLS_BPF", "NET_ACT_BPF", "BPF_STREAM_PARSER", "LWTUNNEL_BPF", "BPF_LSM",
        ] {
            cases.append((.kernelOption, "CONFIG_\(option)", healthy.without("CONFIG_\(option)")))
        }
        for capability in Capability.allCases {
            cases.append(
                (.capability, "\(capability)", healthy.with { $0.capabilities.remove(capability) }))
        }
        return cases
    }()

    /// Rules that apply together.
    private static let companions: [Rule: Set<String>] = [
        .unprivilegedBPF: [Rule.jitHardening.rawValue], .jitHardening: [Rule.jitNames.rawValue],
    ]

    @Test("a healthy machine has no complaint, in any profile", arguments: Profile.allCases)
    func healthy(_ profile: Profile) {
        let examination = Examination(of: .healthy, for: profile)

        #expect(examination.complaints.isEmpty, "\(examination.complaints)")
        #expect(examination.worst == .fine)
        #expect(examination.findings.allSatisfy { $0.repair == nil })
    }

    @Test(
        "a machine that a rule is about gets that complaint and no stranger to it, as bad as the profile says",
        arguments: Self.cases.indices)
    func applies(_ place: Int) {
        let (rule, subject, machine) = Self.cases[place]
        for profile in Profile.allCases {
            let examination = Examination(of: machine, for: profile)
            let found = examination.findings(of: rule).filter { $0.subject == subject }

            #expect(found.map(\.severity) == [rule.severity(for: profile)], "\(rule) \(profile)")
            #expect(found.allSatisfy { !$0.evidence.isEmpty && $0.remedy?.isEmpty == false })
            let others = Set(examination.complaints.map(\.rule)).subtracting([rule.rawValue])
            #expect(others.isSubset(of: Self.companions[rule] ?? []), "\(examination.complaints)")
        }
    }

    @Test("every rule has a machine that it is about")
    func complete() {
        #expect(Set(Self.cases.map(\.rule)) == Set(Rule.allCases))
        #expect(Set(Rule.allCases.map(\.rawValue)).count == Rule.allCases.count)
    }

    @Test("the documentation has each rule with its severities, and no other")
    func documented() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "\(root)/Documentation/checks.md", encoding: .utf8)
        let section = try #require(
            text.components(separatedBy: "\n## doctor\n").last?.components(separatedBy: "\n## ").first)
        var documented: [String: [String]] = [:]
        for line in section.split(separator: "\n") where line.hasPrefix("| `") {
            let cells = line.split(separator: "|").map { $0.trimmed }
            documented[String(cells[0].dropFirst().dropLast())] = Array(cells[1...3])
        }

        #expect(Set(documented.keys) == Set(Rule.allCases.map(\.rawValue)))
        for rule in Rule.allCases {
            let severities = Profile.allCases.map { rule.severity(for: $0).rawValue }
            #expect(documented[rule.rawValue] == severities, "\(rule.rawValue)")
        }
    }

    @Test("what cannot be read is a note with its reason, and never more", arguments: Profile.allCases)
    func dark(_ profile: Profile) {
        let examination = Examination(of: .dark, for: profile)

        #expect(examination.worst == .note)
        #expect(examination.complaints.count >= 20)
        #expect(examination.complaints.allSatisfy { $0.what == "it is unknown" && !$0.evidence.isEmpty })
        #expect(examination.findings.allSatisfy { $0.repair == nil })
    }

    @Test(
        "what stands in the way is as bad as its finder says where a program runs, and a note where none does"
    )
    func obstacles() {
        let obstacle = CheckFinding("mtu", .error, of: "eth1", "The MTU is too large", remedy: "ip link …")
        let running = InterfaceFact(
            name: "eth1", attachments: [.init(mode: .native, programID: 4)], obstacles: [obstacle])
        let idle = InterfaceFact(name: "eth1", obstacles: [obstacle])

        #expect(Examination(of: .healthy.with(running), for: .router).complaints == [obstacle])
        #expect(
            Examination(of: .healthy.with(idle), for: .router).complaints.map(\.severity) == [
                CheckFinding.Severity.note
            ])
    }

    @Test("the worst group comes first, and in it the worst finding")
    func order() {
        let machine = MachineFacts.healthy.with(.unprivilegedBPF, 0).with(.jitNames, 0)
            .without("CONFIG_BPF_LSM").with(.pahole, .known(nil))
        let examination = Examination(of: machine, for: .router)

        #expect(examination.findings.first?.finding.rule == "unprivileged-bpf")
        #expect(
            examination.findings.dropFirst().prefix(2).map(\.finding.rule) == ["jit-hardening", "jit-names"])
        let groups = examination.findings.map(\.group)
        #expect(groups.first == .settings)
        // Each group stands together.
        var seen: [CheckGroup] = []
        for group in groups where seen.last != group { seen.append(group) }
        #expect(seen.count == CheckGroup.allCases.count && Set(seen).count == seen.count)
    }

    @Test("where every user may load programs, constants in machine code have to be hidden")
    func constants() {
        let machine = MachineFacts.healthy.with(.unprivilegedBPF, 0)
        let found = Examination(of: machine, for: .router).findings(of: .jitHardening)

        #expect(found.map(\.severity) == [CheckFinding.Severity.warning])
        #expect(found.first?.remedy?.contains("net.core.bpf_jit_harden=1") == true)
    }

    @Test("hardening hides names whatever the setting for names says", arguments: [1, 2])
    func hiddenNames(hardening: Int64) {
        let found = Examination(of: .healthy.with(.jitHarden, hardening), for: .router).findings(
            of: .jitNames)

        #expect(found.map(\.severity) == [CheckFinding.Severity.note])
        #expect(found.first?.evidence.last == "/proc/sys/net/core/bpf_jit_harden: \(hardening)")
    }

    @Test("a program that somebody could hold unseen is only noted")
    func hidden() {
        let machine = MachineFacts.healthy.with(
            .init(id: 9, name: "lonely"), gaps: ["3 processes cannot be looked into"])
        let complaints = Examination(of: machine, for: .router).complaints

        #expect(
            complaints.map(\.severity) == [CheckFinding.Severity.note]
                && complaints[0].rule == "orphan-program")
        #expect(complaints[0].evidence.last == "but 3 processes cannot be looked into")
    }

    @Test(
        "whatever holds a program, it is not left behind",
        arguments: [
            LoadedPrograms.Entry(id: 9, name: "x", interfaces: ["eth0"]), .init(id: 9, name: "x", links: [1]),
            .init(id: 9, name: "x", maps: [1]), .init(id: 9, name: "x", extensions: [1]),
        ])
    func held(_ program: LoadedPrograms.Entry) {
        #expect(Examination(of: .healthy.with(program), for: .router).complaints.isEmpty)
    }

    @Test(
        "settings with values that nobody knows, and processors with words that nobody knows, are no traps",
        arguments: [Int64.min, -7, 3, 99, .max])
    func strange(_ value: Int64) {
        for setting in Setting.allCases {
            let machine = MachineFacts.healthy.with(setting, value)
            #expect(!Examination(of: machine, for: .router).findings.isEmpty)
            #expect(!FixScript(Examination(of: machine, for: .router)).text.isEmpty)
        }
        let machine = MachineFacts.healthy.with("spectre_v2", "Perhaps")
        #expect(
            Examination(of: machine, for: .router).complaints.map(\.severity) == [CheckFinding.Severity.note])
    }
}

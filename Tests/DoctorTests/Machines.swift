// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

@testable import Doctor

extension MachineFacts {
    /// A machine on which no rule finds anything.
    static let healthy = MachineFacts(
        release: "6.12.0", options: .known(.complete), settings: .healthy,
        vulnerabilities: Dictionary(
            uniqueKeysWithValues: Vulnerability.relevant.map {
                ($0, .known(Vulnerability(name: $0, text: "Not affected\n")))
            }),
        lockdown: .known(.none), securityModules: SecurityModules(text: "capability,bpf").fact,
        mounts: .known(
            Mount.all(in: Array("30 20 0:12 / /sys/kernel/tracing rw - tracefs tracefs rw\n".utf8))),
        fileSystems: ["/sys/fs/bpf"], kernelTypes: .known(5_000_000), memory: .controlGroup,
        capabilities: Set(Capability.allCases), trampolines: .supported,
        tools: [
            .iproute2: .known(ToolVersion(path: "/sbin/ip", line: "ip utility, iproute2-6.1.0")),
            .bpftool: .known(ToolVersion(path: "/sbin/bpftool", line: "bpftool v7.1.0")),
            .clang: .known(ToolVersion(path: "/usr/bin/clang", line: "clang 19", targetsBPF: true)),
            .pahole: .known(ToolVersion(path: "/usr/bin/pahole", line: "v1.24")),
        ],
        libbpf: "v1.1",
        interfaces: .known([InterfaceFact(name: "eth0", attachments: [.init(mode: .native, programID: 7)])]),
        programs: .known(
            LoadedPrograms(
                programs: [LoadedPrograms.Entry(id: 7, name: "held", interfaces: ["eth0"], links: [3])],
                machineCode: 1000)),
        lostChains: [], stalePins: [], pins: PinFacts(count: 3))

    /// A machine that differs in one thing.
    func with(_ change: (inout MachineFacts) -> Void) -> MachineFacts {
        var machine = self
        change(&machine)
        return machine
    }

    /// The kernel without an option.
    func without(_ option: String) -> MachineFacts {
        with { machine in
            guard case .known(var options) = machine.options else { return }
            options.values[option] = nil
            machine.options = .known(options)
        }
    }

    /// With a setting of that value.
    func with(_ setting: Setting, _ value: Int64) -> MachineFacts {
        with { $0.settings[setting] = .known(value) }
    }

    func with(_ vulnerability: String, _ text: String) -> MachineFacts {
        with { $0.vulnerabilities[vulnerability] = .known(Vulnerability(name: vulnerability, text: text)) }
    }

    func with(_ interface: InterfaceFact) -> MachineFacts {
        with { $0.interfaces = .known([interface]) }
    }

    func with(_ program: LoadedPrograms.Entry, gaps: [String] = []) -> MachineFacts {
        with { $0.programs = .known(LoadedPrograms(programs: [program], gaps: gaps)) }
    }

    func with(_ pin: PinFact) -> MachineFacts {
        with { $0.pins.open = [pin] }
    }

    func with(_ tool: Tool, _ version: Fact<ToolVersion?>) -> MachineFacts {
        with { $0.tools[tool] = version }
    }

    /// Nothing could be read.
    static let dark = MachineFacts(
        release: "", options: .unknown("dark"), settings: [:], vulnerabilities: [:],
        lockdown: .unknown("dark"),
        securityModules: .unknown("dark"), mounts: .unknown("dark"), fileSystems: [],
        kernelTypes: .unknown("dark"), memory: .unknown("dark"), capabilities: Set(Capability.allCases),
        trampolines: .unknown("dark"), tools: [:], libbpf: "v1.1", interfaces: .unknown("dark"),
        programs: .unknown("dark"), lostChains: [], stalePins: [], pins: PinFacts(gaps: ["dark"]))
}

extension Optional where Wrapped: Sendable & Hashable {
    var fact: Fact<Wrapped> { map { .known($0) } ?? .unknown("no such thing") }
}

extension KernelConfiguration {
    static let complete = KernelConfiguration(
        source: "/proc/config.gz",
        values: Dictionary(
            uniqueKeysWithValues: [
                "BPF", "BPF_SYSCALL", "BPF_JIT", "BPF_JIT_ALWAYS_ON", "XDP_SOCKETS", "DEBUG_INFO_BTF",
                "CGROUP_BPF", "NET_CLS_BPF", "NET_ACT_BPF", "BPF_STREAM_PARSER", "LWTUNNEL_BPF", "BPF_LSM",
            ].map { ("CONFIG_\($0)", "y") }))
}

extension [Setting: Fact<Int64>] {
    static let healthy: Self = [
        .unprivilegedBPF: .known(2), .jitEnable: .known(1), .jitHarden: .known(0), .jitNames: .known(1),
        .jitLimit: .known(264_241_152), .kernelPointers: .known(0), .perfEvents: .known(2),
    ]
}

extension Examination {
    /// What is not as it should be.
    var complaints: [CheckFinding] { findings.map(\.finding).filter { $0.severity > .fine } }

    func findings(of rule: Rule) -> [CheckFinding] {
        findings.map(\.finding).filter { $0.rule == rule.rawValue }
    }
}

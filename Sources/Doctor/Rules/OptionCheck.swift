// SPDX-License-Identifier: Apache-2.0

/// How the kernel was built.
enum OptionCheck: MachineCheck {
    static let group = CheckGroup.options

    /// An option, and what there is not without it.
    private struct Option {
        let name: String
        let rule: Rule
        let loss: String
    }

    private static let options: [Option] = [
        Option(name: "CONFIG_BPF", rule: .kernelBPF, loss: "there are no BPF programs at all"),
        Option(
            name: "CONFIG_BPF_SYSCALL", rule: .kernelBPF,
            loss: "user space can load no BPF programs, and so no XDP program"),
        Option(
            name: "CONFIG_BPF_JIT", rule: .kernelJIT,
            loss: "programs are interpreted, each instruction of each packet; kernel functions (kfuncs) and "
                + "trampolines do not work"),
        Option(
            name: "CONFIG_BPF_JIT_ALWAYS_ON", rule: .kernelJITAlways,
            loss:
                "the interpreter is in the kernel, which attacks on speculative execution can make use of; a "
                + "program whose translation fails is interpreted, slowly and without a word"),
        Option(
            name: "CONFIG_XDP_SOCKETS", rule: .kernelSockets,
            loss: "there are no AF_XDP sockets, to which programs redirect packets through an xskmap"),
        Option(
            name: "CONFIG_DEBUG_INFO_BTF", rule: .kernelTypes,
            loss: "the kernel has no types of its own: programs built to run anywhere (CO-RE) that read its "
                + "structures, kernel functions (kfuncs) and typed tracepoints do not work"),
        Option(
            name: "CONFIG_CGROUP_BPF", rule: .kernelOption,
            loss: "programs cannot be attached to control groups; XDP does not need it"),
        Option(
            name: "CONFIG_NET_CLS_BPF", rule: .kernelOption,
            loss: "there is no BPF classifier of tc, the usual partner of XDP for packets on their way out"),
        Option(
            name: "CONFIG_NET_ACT_BPF", rule: .kernelOption,
            loss: "there are no BPF actions of tc; its classifier with direct-action does the same"),
        Option(
            name: "CONFIG_BPF_STREAM_PARSER", rule: .kernelOption,
            loss: "programs cannot redirect between sockets (sockmap); XDP does not need it"),
        Option(
            name: "CONFIG_LWTUNNEL_BPF", rule: .kernelOption,
            loss: "programs cannot be attached to routes; XDP does not need it"),
        Option(
            name: "CONFIG_BPF_LSM", rule: .kernelOption,
            loss: "programs cannot take part in security decisions; XDP does not need it"),
    ]

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        let configuration: KernelConfiguration
        switch facts.options {
        case .known(let known): configuration = known
        case .unknown(let reason):
            findings.unknown(
                .kernelOption, of: "kernel options", because: reason,
                remedy:
                    "Install the file of the kernel's package that has them: /boot/config-\(facts.release)")
            return
        }
        for option in options {
            let evidence = ["\(configuration.source): \(configuration.line(option.name))"]
            if configuration[option.name] == "y" || configuration[option.name] == "m" {
                findings.fine(option.rule, of: option.name, "the kernel has it", evidence: evidence)
            } else {
                findings.add(
                    option.rule, of: option.name, "the kernel was built without it", evidence: evidence,
                    consequence: option.loss,
                    remedy: "Take a kernel that was built with \(option.name)=y", repair: .byHand)
            }
        }
        checkTests(facts, configuration, &findings)
    }

    private static func checkTests(
        _ facts: MachineFacts, _ configuration: KernelConfiguration, _ findings: inout Findings
    ) {
        let name = "CONFIG_TEST_BPF"
        let evidence = "\(configuration.source): \(configuration.line(name))"
        if configuration[name] == "y" {
            findings.add(
                .testModule, of: name, "the tests of BPF are built into the kernel", evidence: [evidence],
                consequence: "they run at every start, and bring code that nothing in production needs",
                remedy: "Take a kernel that was built without \(name)", repair: .byHand)
        } else if facts.isTestModuleLoaded {
            findings.add(
                .testModule, of: name, "the module with the tests of BPF is loaded",
                evidence: [evidence, "/sys/module/test_bpf is there"],
                consequence: "it brings code that nothing in production needs",
                remedy: "`rmmod test_bpf`, and keep it from being loaded", repair: .byHand)
        } else {
            findings.fine(
                .testModule, of: name, "the tests of BPF are not in the kernel", evidence: [evidence])
        }
    }
}

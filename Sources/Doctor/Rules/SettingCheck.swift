// SPDX-License-Identifier: Apache-2.0

/// The kernel's settings, and what each means for XDP.
enum SettingCheck: MachineCheck {
    static let group = CheckGroup.settings

    static func check(_ facts: MachineFacts, into findings: inout Findings) {
        for setting in Setting.allCases {
            let name = setting.rawValue
            switch facts.settings[setting] ?? .unknown("it was not read") {
            case .unknown(let reason):
                findings.unknown(
                    rule(of: setting), of: name, because: reason,
                    remedy: name.hasPrefix("net.")
                        ? "Look as root, and in the first network namespace, which alone has it" : nil
                )
            case .known(let value):
                let evidence = ["\(setting.path): \(value)"]
                switch setting {
                case .unprivilegedBPF: unprivileged(value, evidence, &findings)
                case .jitEnable: jit(value, evidence, &findings)
                case .jitHarden: hardening(value, evidence, facts, &findings)
                case .jitNames: names(value, evidence, facts, &findings)
                case .jitLimit: limit(value, evidence, facts, &findings)
                case .kernelPointers: pointers(value, evidence, facts, &findings)
                case .perfEvents: perf(value, evidence, &findings)
                }
            }
        }
    }

    private static func rule(of setting: Setting) -> Rule {
        switch setting {
        case .unprivilegedBPF: .unprivilegedBPF
        case .jitEnable: .jitOff
        case .jitHarden: .jitHardening
        case .jitNames: .jitNames
        case .jitLimit: .jitMemory
        case .kernelPointers: .kernelPointers
        case .perfEvents: .perfEvents
        }
    }

    /// What to type now, and where it has to stand for the next start.
    static func remedy(_ setting: Setting, _ value: Int64) -> String {
        "`sysctl -w \(setting.rawValue)=\(value)`, and `\(setting.rawValue) = \(value)` in "
            + "\(FixScript.settingsFile) for the next start"
    }

    private static func unprivileged(_ value: Int64, _ evidence: [String], _ findings: inout Findings) {
        let name = Setting.unprivilegedBPF.rawValue
        guard value == 0 else {
            let how = value == 1 ? "until the next start" : "until root allows it"
            findings.fine(
                .unprivilegedBPF, of: name, "only who has CAP_BPF may load programs, \(how)",
                evidence: evidence)
            return
        }
        findings.add(
            .unprivilegedBPF, of: name, "every user may load BPF programs", evidence: evidence,
            consequence:
                "every user reaches the verifier and the compiler in the kernel, the way of most attacks "
                + "that used BPF; on some processors the protection against Spectre v2 does not hold then",
            remedy: remedy(.unprivilegedBPF, 2), repair: .set(.unprivilegedBPF, to: 2))
    }

    private static func jit(_ value: Int64, _ evidence: [String], _ findings: inout Findings) {
        let name = Setting.jitEnable.rawValue
        switch value {
        case 1:
            findings.fine(.jitOff, of: name, "programs are translated to machine code", evidence: evidence)
        case 2:
            findings.add(
                .jitDebug, of: name, "each program's machine code is written to the kernel's log",
                evidence: evidence,
                consequence: "loading is slow, and the log has addresses of the kernel; it is for debugging",
                remedy: remedy(.jitEnable, 1), repair: .set(.jitEnable, to: 1))
        default:
            findings.add(
                .jitOff, of: name, "programs are interpreted", evidence: evidence,
                consequence:
                    "each instruction is decoded anew for each packet, and machine code would just run; "
                    + "kernel functions (kfuncs) and trampolines do not work",
                remedy: remedy(.jitEnable, 1), repair: .set(.jitEnable, to: 1))
        }
    }

    private static func hardening(
        _ value: Int64, _ evidence: [String], _ facts: MachineFacts, _ findings: inout Findings
    ) {
        let name = Setting.jitHarden.rawValue
        switch value {
        case 0 where facts.settings[.unprivilegedBPF]?.value == 0:
            findings.add(
                .jitHardening, of: name,
                "constants of programs are not hidden, and every user may load programs",
                evidence: evidence + ["\(Setting.unprivilegedBPF.path): 0"],
                consequence: "who can load a program can put bytes of their choice into executable memory",
                remedy:
                    "Let only root load programs (\(Setting.unprivilegedBPF.rawValue)=2); where users have to, "
                    + remedy(.jitHarden, 1),
                repair: .byHand)
        case 0:
            findings.fine(.jitHardening, of: name, "machine code is as the program says", evidence: evidence)
        case 1:
            findings.fine(
                .jitHardening, of: name, "constants are hidden in programs of users without rights only",
                evidence: evidence)
        default:
            findings.add(
                .jitHardening, of: name, "constants are hidden in all programs, also in those of root",
                evidence: evidence,
                consequence: "each constant in an XDP program costs further instructions for each packet",
                remedy: "If only root loads programs here: " + remedy(.jitHarden, 0), repair: .byHand)
        }
    }

    /// With any hardening the kernel keeps the names to itself, whatever the setting for names says.
    private static func names(
        _ value: Int64, _ evidence: [String], _ facts: MachineFacts, _ findings: inout Findings
    ) {
        let name = Setting.jitNames.rawValue
        let hardening = facts.settings[.jitHarden]?.value ?? 0
        if value != 0, hardening == 0 {
            findings.fine(.jitNames, of: name, "programs have names in profiles", evidence: evidence)
            return
        }
        findings.add(
            .jitNames, of: name, "programs are not in /proc/kallsyms",
            evidence: evidence + (hardening == 0 ? [] : ["\(Setting.jitHarden.path): \(hardening)"]),
            consequence: "profiles (perf) and stack traces show addresses where a program ran",
            remedy: hardening == 0
                ? remedy(.jitNames, 1)
                : "`sysctl -w \(Setting.jitHarden.rawValue)=0`, where nobody but root loads programs",
            repair: hardening == 0 ? .set(.jitNames, to: 1) : .byHand)
    }

    private static func limit(
        _ value: Int64, _ evidence: [String], _ facts: MachineFacts, _ findings: inout Findings
    ) {
        let name = Setting.jitLimit.rawValue
        guard case .known(let programs) = facts.programs else {
            findings.fine(
                .jitMemory, of: name, "machine code may have \(bytes(UInt64(clamping: value)))",
                evidence: evidence)
            return
        }
        let used = programs.machineCode
        let more = evidence + ["programs in the kernel: at least \(bytes(used)) of machine code"]
        // Filters of sockets and processes count too, and are not listed.
        guard value > 0, used > UInt64(value) / 4 * 3 else {
            findings.fine(
                .jitMemory, of: name, "there is room for more machine code", evidence: more)
            return
        }
        // The kernel's own choice is half of what it has room for.
        let wanted = Int64(clamping: UInt64(value) * 2)
        findings.add(
            .jitMemory, of: name, "machine code of programs has nearly used up its limit", evidence: more,
            consequence: "beyond the limit filters of processes without CAP_BPF are interpreted or refused",
            remedy: remedy(.jitLimit, wanted), repair: .set(.jitLimit, to: wanted))
    }

    private static func pointers(
        _ value: Int64, _ evidence: [String], _ facts: MachineFacts, _ findings: inout Findings
    ) {
        let name = Setting.kernelPointers.rawValue
        let perf = facts.settings[.perfEvents]?.value
        switch value {
        case 0 where perf.map { $0 <= 1 } == true:
            findings.add(
                .kernelPointers, of: name, "every user can read addresses of the kernel",
                evidence: evidence + ["\(Setting.perfEvents.path): \(perf ?? 0)"],
                consequence: "attacks on the kernel have to know addresses; /proc/kallsyms tells them",
                remedy: remedy(.kernelPointers, 1), repair: .set(.kernelPointers, to: 1))
        case 2...:
            findings.add(
                .pointersHidden, of: name, "nobody can read addresses of the kernel, root neither",
                evidence: evidence,
                consequence:
                    "helpers that a loaded program calls cannot be named, and profiles have no names of "
                    + "functions of the kernel",
                remedy: "To look into programs: `sysctl -w \(name)=1`", repair: .byHand)
        default:
            findings.fine(
                .kernelPointers, of: name, "addresses of the kernel are for root", evidence: evidence)
        }
    }

    private static func perf(_ value: Int64, _ evidence: [String], _ findings: inout Findings) {
        let name = Setting.perfEvents.rawValue
        if value <= 0 {
            findings.add(
                .perfEvents, of: name, "every user may watch all of a processor", evidence: evidence,
                consequence: "every user sees events of other users and of the kernel",
                remedy: remedy(.perfEvents, 2), repair: .set(.perfEvents, to: 2))
        } else {
            findings.fine(
                .perfEvents, of: name,
                value == 1
                    ? "users may watch their own work, in the kernel too"
                    : "users may watch their own work only",
                evidence: evidence)
        }
    }

    /// "504 MiB".
    static func bytes(_ count: UInt64) -> String {
        count >= 1 << 20 ? "\(count >> 20) MiB" : count >= 1 << 10 ? "\(count >> 10) KiB" : "\(count) bytes"
    }
}

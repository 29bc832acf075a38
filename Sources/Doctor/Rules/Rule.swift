// SPDX-License-Identifier: Apache-2.0
import XDP

/// Every rule, by the name that a finding has. Documentation/checks.md has the same table.
public enum Rule: String, Sendable, Hashable, CaseIterable {
    case kernelBPF = "kernel-bpf"
    case kernelJIT = "kernel-jit"
    case kernelJITAlways = "kernel-jit-always-on"
    case kernelSockets = "kernel-af-xdp"
    case kernelTypes = "kernel-btf"
    case kernelOption = "kernel-option"
    case testModule = "kernel-test-bpf"
    case unprivilegedBPF = "unprivileged-bpf"
    case jitOff = "jit-off"
    case jitDebug = "jit-debug"
    case jitHardening = "jit-hardening"
    case jitNames = "jit-names"
    case jitMemory = "jit-memory"
    case kernelPointers = "kernel-pointers"
    case pointersHidden = "kernel-pointers-hidden"
    case perfEvents = "perf-events"
    case retpolines = "retpolines"
    case vulnerable = "cpu-vulnerable"
    case lockdown = "lockdown"
    case bpfModule = "bpf-lsm"
    case bpffs = "bpffs"
    case tracefs = "tracefs"
    case memoryLimit = "memory-limit"
    case capability = "capability"
    case trampolines = "trampolines"
    case genericMode = "generic-mode"
    case genericOnly = "generic-only"
    case orphan = "orphan-program"
    case onlyPinned = "idle-program"
    case lostChain = "lost-chain"
    case stalePin = "stale-pin"
    case openToAll = "pin-open-to-all"
    case openToGroup = "pin-open-to-group"
    case tool = "tool"
    case compiler = "tool-clang"

    /// How bad it is where it applies.
    public func severity(for profile: Profile) -> CheckFinding.Severity {
        let (workstation, router, ci) = severities
        return switch profile {
        case .workstation: workstation
        case .router: router
        case .ci: ci
        }
    }

    private typealias Severities = (
        workstation: CheckFinding.Severity, router: CheckFinding.Severity, ci: CheckFinding.Severity
    )

    private var severities: Severities {
        switch self {
        case .kernelBPF: (.error, .error, .error)
        case .kernelJIT, .jitOff: (.warning, .error, .warning)
        case .kernelJITAlways: (.note, .warning, .note)
        case .kernelSockets: (.note, .warning, .warning)
        case .kernelTypes: (.warning, .warning, .warning)
        case .testModule: (.warning, .warning, .fine)
        case .unprivilegedBPF: (.error, .error, .note)
        case .jitDebug, .kernelPointers, .perfEvents, .vulnerable: (.warning, .warning, .note)
        case .jitHardening, .jitMemory, .tracefs: (.note, .warning, .note)
        case .bpffs: (.warning, .warning, .warning)
        case .genericMode: (.warning, .error, .note)
        case .orphan, .lostChain: (.warning, .warning, .note)
        case .stalePin: (.note, .warning, .note)
        case .openToAll: (.warning, .error, .note)
        case .openToGroup: (.note, .warning, .note)
        case .compiler: (.note, .note, .warning)
        case .kernelOption, .jitNames, .pointersHidden, .retpolines, .lockdown, .bpfModule, .memoryLimit,
            .capability, .trampolines, .genericOnly, .onlyPinned, .tool:
            (.note, .note, .note)
        }
    }
}

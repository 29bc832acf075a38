// SPDX-License-Identifier: Apache-2.0

/// The settings of the kernel (sysctl(8)) that matter to XDP.
public enum Setting: String, Sendable, Hashable, CaseIterable {
    case unprivilegedBPF = "kernel.unprivileged_bpf_disabled"
    case jitEnable = "net.core.bpf_jit_enable"
    case jitHarden = "net.core.bpf_jit_harden"
    case jitNames = "net.core.bpf_jit_kallsyms"
    case jitLimit = "net.core.bpf_jit_limit"
    case kernelPointers = "kernel.kptr_restrict"
    case perfEvents = "kernel.perf_event_paranoid"

    public var path: String {
        "/proc/sys/" + String(rawValue.map { $0 == "." ? "/" : $0 })
    }

    /// Reads the file's text: one number; nil for anything else.
    public static func value(of text: String) -> Int64? {
        Int64(text.trimmed)
    }
}

extension StringProtocol {
    /// Without spaces, tabs and line ends around it.
    var trimmed: String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
        var text = drop(while: isSpace)[...]
        while let last = text.last, isSpace(last) { text.removeLast() }
        return String(text)
    }
}

// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Turns what libbpf says of an object into errors that tell the reader what to do.
enum ObjectFailure {
    static func named(_ error: BPFError, _ name: String) -> BPFError {
        var named = error
        if named.subject.isEmpty { named.subject = name }
        return named
    }

    static func legacyMaps(_ name: String) -> BPFError {
        BPFError(
            "open the object", on: name,
            kernelMessage: "its maps are declared in the old way (struct bpf_map_def in section maps), "
                + "which libbpf 1.0 gave up",
            remedy: "Rebuild it with maps in section .maps (in C the macros __uint and __type; in aya "
                + "#[btf_map] instead of #[map])")
    }

    /// Picks the line that matters and adds the remedy.
    static func explain(
        _ operation: String, _ name: String, errno: Errno, warnings: [String]
    ) -> BPFError {
        let useful = warnings.filter {
            !$0.hasPrefix("failed to load object") && !$0.contains("PROG LOAD LOG")
                && !$0.contains("Retrying without BTF")
        }
        let message = useful.first
        return BPFError(
            operation, on: name, errno: errno, kernelMessage: message,
            remedy: remedy(for: useful.joined(separator: "\n"), errno: errno))
    }

    private static func remedy(for text: String, errno: Errno) -> String? {
        if text.contains("extern (func ksym)") || text.contains("extern (var ksym)") {
            return "The program calls a kernel function or reads a kernel variable that this kernel does not "
                + "have: use a newer kernel, load the module that brings it, or declare it __weak and test it"
        }
        if text.contains("kconfig") {
            return "The program asks for a kernel configuration value that cannot be read here"
        }
        if text.contains("vmlinux BTF") || text.contains("failed to find valid kernel BTF") {
            return "The object needs the kernel's own BTF (/sys/kernel/btf/vmlinux; CONFIG_DEBUG_INFO_BTF)"
        }
        if text.contains("legacy map") { return legacyMaps("").remedy }
        if text.contains("failed to create") {
            return Capability.remedy(for: [.bpf])
                ?? "The kernel refused to make a map as the object declares it; --max-entries NAME=N sets its size"
        }
        if text.contains("does not match") || text.contains("couldn't reuse") || text.contains("mismatch") {
            return "The map that is there has another definition: name another one, or remove the pin"
        }
        if text.contains("no BTF") || text.contains("BTF is required") {
            return "Rebuild the object with debug information (clang -g)"
        }
        return errno == .notPermitted
            ? Capability.remedy(for: [.bpf, .networkAdministration, .performanceMonitoring]) : nil
    }
}

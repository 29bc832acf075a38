// SPDX-License-Identifier: Apache-2.0
import CBPF

/// The capabilities (capabilities(7)) that work with XDP needs, and what each is needed for.
public enum Capability: UInt32, Sendable, CaseIterable, CustomStringConvertible {
    case networkAdministration = 12
    case processTracing = 19
    case systemAdministration = 21
    case performanceMonitoring = 38
    case bpf = 39

    /// The name as capabilities(7) writes it.
    public var description: String {
        switch self {
        case .networkAdministration: "CAP_NET_ADMIN"
        case .processTracing: "CAP_SYS_PTRACE"
        case .systemAdministration: "CAP_SYS_ADMIN"
        case .performanceMonitoring: "CAP_PERFMON"
        case .bpf: "CAP_BPF"
        }
    }

    /// What the capability is needed for, to be read after its name.
    public var purpose: String {
        switch self {
        case .networkAdministration: "to load XDP programs and attach them to an interface"
        case .processTracing: "to see what the processes of other users hold"
        case .systemAdministration: "to open programs, maps and links by id, which is how a chain is found"
        case .performanceMonitoring: "for programs that do arithmetic on pointers, and to watch tracepoints"
        case .bpf: "to create maps and load programs"
        }
    }

    /// The capabilities in force for the calling thread; CAP_SYS_ADMIN includes CAP_BPF and CAP_PERFMON
    /// for the kernel, and so it does here.
    public static func effective() -> Set<Capability> {
        var header = __user_cap_header_struct(version: UInt32(_LINUX_CAPABILITY_VERSION_3), pid: 0)
        var data = (__user_cap_data_struct(), __user_cap_data_struct())
        let result = withUnsafeMutableBytes(of: &data) { bytes in
            cbpf_capget(&header, bytes.baseAddress?.assumingMemoryBound(to: __user_cap_data_struct.self))
        }
        guard result == 0 else { return [] }
        let bits = UInt64(data.0.effective) | UInt64(data.1.effective) << 32
        var found = Set(allCases.filter { bits >> UInt64($0.rawValue) & 1 == 1 })
        if found.contains(.systemAdministration) { found.formUnion([.bpf, .performanceMonitoring]) }
        return found
    }

    /// A sentence that names the missing ones of `needed` and what they are for; nil if none is missing.
    public static func remedy(for needed: [Capability]) -> String? {
        let held = effective()
        let missing = needed.filter { !held.contains($0) }
        guard !missing.isEmpty else { return nil }
        let list = missing.map { "\($0) (\($0.purpose))" }.joined(separator: ", ")
        return "This process lacks \(list); run as root, or grant it with setpriv(1) or in the service's unit"
    }
}

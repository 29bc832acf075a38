// SPDX-License-Identifier: Apache-2.0
import BPF
import SystemPackage

/// What trials rest upon: that the smallest XDP program of all is taken.
enum TrialBaseline {
    /// Why nothing can be tried; nil where it can.
    static func obstacle() -> String? {
        guard case .refused(let errno, _) = KernelTrial.load(KernelTrial.ProgramRequest()) else { return nil }
        if errno == .notPermitted || errno == .permissionDenied {
            let needed: [Capability] = [.bpf, .networkAdministration]
            let missing = needed.filter { !Capability.effective().contains($0) }
            guard !missing.isEmpty else { return "the kernel forbids this process to load programs" }
            return "this process lacks " + missing.map(\.description).joined(separator: " and ")
        }
        return "this kernel takes no XDP program: \(errno)"
    }

    /// What a refusal means that says nothing of what was tried.
    ///
    /// - Parameter needed: the capabilities without which a refusal is about the caller.
    static func support(
        refusedWith errno: Errno, needing needed: [Capability] = [.bpf, .networkAdministration]
    ) -> Support {
        switch errno {
        case .notPermitted, .permissionDenied:
            let missing = needed.filter { !Capability.effective().contains($0) }
            if !missing.isEmpty {
                return .unknown(
                    "this process lacks " + missing.map(\.description).joined(separator: " and "))
            }
            // A policy: whoever holds all capabilities is refused.
            return .unsupported
        case .noMemory, .resourceTemporarilyUnavailable, .tooManyOpenFiles, .interrupted:
            return .unknown("the trial failed: \(errno.description)")
        default: return .unsupported
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The mode that a new chain is to be attached in, against what the driver does.
enum ModeRule: PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        guard let request = subject.request, let features = subject.hook.features else { return [] }
        let hook = subject.hook
        // netdevsim, for tests of the kernel, takes programs and says nothing of it on older kernels.
        let lacksNative = features.native == .unsupported && features.driver?.name != "netdevsim"
        switch request {
        case .native:
            if lacksNative { return [.withoutNative(hook, evidence: nil)] }
            return obstacles(features)
        case .auto:
            if lacksNative { return [.fallback(hook)] }
            return obstacles(features)
        case .generic:
            guard case .supported = features.native else { return [] }
            return [
                PreflightFinding(
                    "generic", .warning, of: hook.name,
                    "generic mode was asked for, and \(hook.name) has native mode",
                    evidence: ["\(features.driver?.name ?? hook.kind ?? "the driver") runs programs itself"],
                    consequence: "packets are several times slower than they could be",
                    remedy: "Leave --mode away, or say --mode native")
            ]
        case .offload: return []
        }
    }

    /// Of what stands in the way on the interface, that about which nothing is to be known of the programs; the
    /// rest is the business of other rules.
    private static let general: Set<String> = ["queues", "lro", "gro-hw"]

    /// What the driver refuses as things are; it says so itself if it is tried.
    private static func obstacles(_ features: InterfaceFeatures) -> [PreflightFinding] {
        let found = features.obstacles.filter { general.contains($0.rule) && $0.severity >= .warning }
        return found.map { obstacle in
            var found = PreflightFinding(
                obstacle.rule, obstacle.severity, of: obstacle.subject, obstacle.what)
            found.finding = obstacle
            return found
        }
    }
}

extension PreflightFinding {
    static let nativeRemedy =
        "--mode generic works everywhere but is much slower, --mode auto chooses by itself"

    /// - Parameter evidence: what the kernel said, if it was tried.
    static func withoutNative(_ hook: PreflightSubject.Hook, evidence: String?) -> PreflightFinding {
        PreflightFinding(
            "native", .error, of: hook.name,
            "the driver\(hook.kind.map { " (\($0))" } ?? "") has no native mode",
            evidence: [evidence ?? "\(hook.name) has no basic XDP"],
            consequence: "the kernel refuses to attach", remedy: nativeRemedy)
    }

    static func fallback(_ hook: PreflightSubject.Hook) -> PreflightFinding {
        PreflightFinding(
            "native", .note, of: hook.name,
            "the driver\(hook.kind.map { " (\($0))" } ?? "") has no native mode, generic mode is used",
            consequence: "packets are several times slower than in native mode")
    }
}

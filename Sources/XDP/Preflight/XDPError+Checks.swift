// SPDX-License-Identifier: Apache-2.0

extension XDPError {
    /// Rules about what the kernel refuses itself, whatever is overridden.
    private static let refusedAnyway: Set<String> = [
        "native", "mtu", "queues", "lro", "gro-hw", "helper", "relocation", "metadata-hints", "build",
    ]

    /// A change that is refused for what the checks before it found; nil if there is no error among that.
    public init?(_ what: String, refusedBy checks: [CheckFinding]) {
        let errors = checks.filter { $0.severity == .error }
        guard !errors.isEmpty else { return nil }
        let losing = errors.count { !Self.refusedAnyway.contains($0.rule) }
        let reasons = [
            losing > 0 ? "it would lose packets" : nil,
            losing < errors.count ? "the kernel would refuse it" : nil,
        ]
        let count = "\(errors.count) error\(errors.count == 1 ? "" : "s")"
        self.init(
            .refused, what, because: reasons.compactMap(\.self).joined(separator: ", and ") + " (\(count))",
            remedy: losing == errors.count ? "--force does it all the same" : nil)
        self.checks = checks
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Room before the packet, and what the card knows of it.
enum MetadataRule: PreflightRule {
    static func findings(_ subject: PreflightSubject) -> [PreflightFinding] {
        subject.members.flatMap { member in
            [room(member, subject), hints(member)].compactMap(\.self)
        }
    }

    /// No kernel says which driver leaves room; these are known not to, at least on older ones.
    private static let without = ["tun", "vmxnet3"]

    private static func room(
        _ member: PreflightSubject.Member, _ subject: PreflightSubject
    ) -> PreflightFinding? {
        let places = member.analysis.adjustsMetadata
        guard subject.mode == .native, !places.isEmpty,
            let driver = subject.hook.features?.driver?.name ?? subject.hook.kind,
            without.contains(driver)
        else { return nil }
        return PreflightFinding(
            "metadata", .warning, of: member.name,
            "\(places.location(in: member.name)) asks for room for metadata, which \(driver) may not have",
            evidence: places.evidence(in: member.name) + [
                "\(subject.hook.name) is driven by \(driver); the kernel does not say what that can"
            ],
            consequence: "bpf_xdp_adjust_meta returns -524 there, and the program does what it does then",
            remedy: "See with traffic that the program goes on; --mode generic always has room")
    }

    private static func hints(_ member: PreflightSubject.Member) -> PreflightFinding? {
        let used = member.analysis.kernelFunctions.filter { $0.name.hasPrefix("bpf_xdp_metadata_") }
        guard let first = used.first else { return nil }
        let places = used.flatMap(\.places)
        return PreflightFinding(
            "metadata-hints", .error, of: member.name,
            "\(places.location(in: member.name)) asks the card about the packet (\(first.name))",
            evidence: places.evidence(in: member.name),
            consequence: "the kernel refuses the chain: such a program has to be bound to its device",
            remedy: "Attach it alone, bound to the device, with its own loader; chains cannot do it yet")
    }
}

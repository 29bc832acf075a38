// SPDX-License-Identifier: Apache-2.0
import XDP

/// Redirects to one target that failed in one way, as the tracepoints told of them.
struct RedirectFailure {
    /// The interface's index; 0 where it is not known.
    var target: UInt32
    /// The type of the map that it went through (`enum bpf_map_type`); 0 without one.
    var mapType: UInt32
    /// As the kernel has it: -95. 0 where packets were only dropped on the way out.
    var error: Int32
    /// Whether the target's driver had got them, rather than that the kernel refused.
    var isInTransit: Bool
    var packets: UInt64

    /// All that are not about AF_XDP sockets, which ``Hypothesis/socket`` looks at, and not about queues of processors.
    static func all(of facts: ExplanationFacts) -> [RedirectFailure] {
        var found: [RedirectFailure] = []
        func add(_ failure: RedirectFailure) {
            if let place = found.firstIndex(where: {
                $0.target == failure.target && $0.mapType == failure.mapType && $0.error == failure.error
                    && $0.isInTransit == failure.isInTransit
            }) {
                found[place].packets += failure.packets
            } else {
                found.append(failure)
            }
        }
        for event in facts.events(.redirectError) where !event.isForSockets && !event.isFullQueue {
            add(
                RedirectFailure(
                    target: event.key.target, mapType: event.key.mapType, error: event.key.error,
                    isInTransit: false, packets: event.count))
        }
        for event in facts.events(.devmapTransmit) where event.dropped > 0 {
            add(
                RedirectFailure(
                    target: event.key.target, mapType: 0, error: event.key.error, isInTransit: true,
                    packets: event.dropped))
        }
        // Of packets in transit the program is not known, so they cannot explain more than there is.
        if let most = facts.program?.ended(.redirect) {
            for place in found.indices { found[place].packets = min(found[place].packets, most) }
        }
        return found.filter { $0.packets > 0 }
    }

    // Numbers of include/uapi/asm-generic/errno*.h.
    private static let invalid: Int32 = -22
    private static let noDevice: Int32 = -19
    private static let noSuchDevice: Int32 = -6
    private static let noRequest: Int32 = -56
    private static let tooLong: Int32 = -90
    private static let unsupported: Int32 = -95
    private static let down: Int32 = -100

    private func features(_ facts: ExplanationFacts) -> InterfaceFeatures? { facts.targets[target] }

    private func name(_ facts: ExplanationFacts) -> String {
        features(facts)?.name ?? (target == 0 ? "an interface" : "interface \(target)")
    }

    private func evidence(_ facts: ExplanationFacts) -> [String] {
        let tracepoint = isInTransit ? "xdp:xdp_devmap_xmit" : "xdp:xdp_redirect_err"
        let number = error == 0 ? "" : ", error \(error) (\(Self.word(error)))"
        return ["\(tracepoint): \(Amount.packets(packets)) to \(name(facts))\(number)"]
    }

    private static func word(_ error: Int32) -> String {
        switch error {
        case invalid: "EINVAL"
        case noDevice: "ENODEV"
        case noSuchDevice: "ENXIO"
        case noRequest: "EBADRQC"
        case tooLong: "EMSGSIZE"
        case unsupported: "EOPNOTSUPP"
        case down: "ENETDOWN"
        case -28: "ENOSPC"
        case -105: "ENOBUFS"
        case -12: "ENOMEM"
        default: "errno \(-error)"
        }
    }

    /// Whether the target takes packets from programs at all.
    private func takesPackets(_ facts: ExplanationFacts) -> Bool {
        features(facts)?.features[.transmit] != .unsupported
    }

    /// A target that takes packets in one buffer, and packets of several.
    private func isAboutFragments(_ facts: ExplanationFacts) -> Bool {
        guard error == Self.unsupported, let features = features(facts), takesPackets(facts) else {
            return false
        }
        return features.features[.transmitFragments] == .unsupported && facts.program?.supportsFrags == true
    }

    /// Why the target did not take packets, where that is for its own sake.
    func targetFinding(_ facts: ExplanationFacts) -> ExplanationFinding? {
        guard error != Self.tooLong, !isAboutFragments(facts) else { return nil }
        let name = name(facts)
        let count = Amount.packets(packets)
        func finding(_ what: String, _ more: [String] = [], _ remedies: [String]) -> ExplanationFinding {
            ExplanationFinding(
                "redirect-target", .loss, packets: packets, "\(count) could not be redirected: \(what)",
                evidence: evidence(facts) + more + checks(facts).flatMap(\.evidence).prefix(3),
                remedies: remedies)
        }
        if error == Self.noRequest, mapType == XDPEvent.processorMap {
            return finding(
                "in generic mode this kernel hands none to other processors", [],
                ["Have it run in native mode, or use Linux 5.15 or newer"])
        }
        // Before Linux 5.12 the error is that of interface 0.
        if error == Self.noRequest || error == Self.invalid && target == 0 {
            return finding(
                "a program answered redirect and nothing in the chain said where to", [],
                ["Have the program call bpf_redirect or bpf_redirect_map and return what that gives"])
        }
        guard let target = features(facts) else {
            guard error == Self.invalid || error == Self.noDevice else { return other(facts) }
            let index = self.target == 0 ? "" : " \(self.target)"
            return finding(
                "there is no interface\(index) in this network namespace", [],
                ["`ip link` shows the numbers; load the program again with the right one (`--set`)"])
        }
        if !target.isUp || error == Self.down {
            return finding("\(name) is down", [], ["`ip link set dev \(name) up`"])
        }
        if !takesPackets(facts) {
            let obstacle = target.obstacles.first { $0.rule == "peer-napi" || $0.rule == "no-transmit" }
            return finding(
                "\(name) (\(target.kind ?? target.driver?.name ?? "")) takes no packets from programs",
                obstacle?.evidence ?? ["the kernel: \(name) has no ndo-xmit"],
                [obstacle?.remedy ?? "Redirect to the interface below it, or use generic mode"])
        }
        return other(facts)
    }

    /// An error that says nothing of itself.
    private func other(_ facts: ExplanationFacts) -> ExplanationFinding? {
        guard error != 0, queueFinding(facts) == nil else { return nil }
        return ExplanationFinding(
            "redirect-target", .loss, packets: packets,
            "\(Amount.packets(packets)) could not be redirected to \(name(facts))", evidence: evidence(facts),
            remedies: ["`xdpctl features` shows which interfaces take packets"])
    }

    private func checks(_ facts: ExplanationFacts) -> [CheckFinding] {
        (facts.program?.checks ?? []).filter {
            $0.rule.hasPrefix("redirect") && $0.evidence.contains { $0.contains("bpf_redirect") }
        }
    }

    /// Packets that are longer than the target's MTU, or in more buffers than it takes.
    func sizeFinding(_ facts: ExplanationFacts) -> ExplanationFinding? {
        let name = name(facts)
        if isAboutFragments(facts) {
            return ExplanationFinding(
                "redirect-size", .loss, packets: packets,
                "\(Amount.packets(packets)) of several buffers could not be redirected to \(name), which takes one buffer only",
                evidence: evidence(facts) + [
                    "the MTU of \(facts.interface) is \(facts.features.mtu)",
                    "the kernel: \(name) has ndo-xmit, but no ndo-xmit-sg",
                ],
                remedies: ["`ip link set dev \(facts.interface) mtu 3506`, and the same at the sender"])
        }
        guard error == Self.tooLong else { return nil }
        let mtu = features(facts)?.mtu
        return ExplanationFinding(
            "redirect-size", .loss, packets: packets,
            "\(Amount.packets(packets)) were too long to be redirected to \(name)",
            evidence: evidence(facts)
                + (mtu.map {
                    ["the MTU of \(name) is \($0), that of \(facts.interface) \(facts.features.mtu)"]
                } ?? []),
            remedies: ["`ip link set dev \(name) mtu \(facts.features.mtu)`"])
    }

    /// Packets that were taken and then found no room.
    func queueFinding(_ facts: ExplanationFacts) -> ExplanationFinding? {
        guard let target = features(facts), target.isUp, takesPackets(facts), isInTransit,
            error == 0 || error == -28 || error == -105
        else { return nil }
        return ExplanationFinding(
            "redirect-queue", .loss, packets: packets,
            "\(Amount.packets(packets)) were redirected to \(target.name) faster than it sent them, and were dropped",
            evidence: evidence(facts),
            remedies: [
                "Look at who takes packets from \(target.name): its other end, or the process behind a TAP, is too slow",
                "`ethtool -g \(target.name)` shows its rings",
            ])
    }
}

extension XDPEvent {
    /// Whether it is about a redirect to an AF_XDP socket: through a map of BPF_MAP_TYPE_XSKMAP (linux/bpf.h).
    var isForSockets: Bool { key.mapType == 17 }

    /// BPF_MAP_TYPE_CPUMAP
    static var processorMap: UInt32 { 16 }

    /// Whether a packet found no room in the queue of a processor, as generic mode tells of it: ENOSPC, ENOBUFS.
    var isFullQueue: Bool {
        key.kind == .redirectError && key.mapType == Self.processorMap && [-28, -105].contains(key.error)
    }
}

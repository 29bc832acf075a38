// SPDX-License-Identifier: Apache-2.0
import Netlink

/// What stands in the way of XDP on an interface now, and what would remove it.
struct InterfaceObstacles {
    /// The rule about a veth whose peer takes no packets from programs.
    static let peerNAPI = "peer-napi"

    private let features: InterfaceFeatures
    private let facts: InterfaceFacts
    private var name: String { features.name }

    init(_ features: InterfaceFeatures, _ facts: InterfaceFacts) {
        self.features = features
        self.facts = facts
    }

    /// The worst first. An interface without a native mode has none, since nothing would help it; except a veth,
    /// which has one, but shows nothing while its queues do not fit those of its peer.
    var findings: [CheckFinding] {
        guard features.native != .unsupported else { return [peerQueues].compactMap { $0 } }
        let all = [
            mtu, refused, peerQueues, peerNAPI, lro, hardwareGRO, queues, transmission, down, peerDown,
        ]
        return all.compactMap { $0 }.enumerated()
            .sorted { ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset) }
            .map(\.element)
    }

    private var mtu: CheckFinding? {
        let single = features.singleBuffer
        guard single.atPresentMTU == .unsupported, facts.probe?.singleBuffer?.isAboutMTU ?? true else {
            return nil
        }
        let (owner, size) = features.peer.map { ($0.name, $0.mtu) } ?? (name, features.mtu)
        let takesFragments = features.features[.receiveFragments] != .unsupported
        var remedy: String?
        if let limit = single.largestMTU {
            remedy = command("ip link set dev \(owner) mtu \(limit)")
        }
        if takesFragments {
            remedy =
                (remedy.map { $0 + ", or use" } ?? "Lower it, or use")
                + " programs that are built as xdp.frags"
        }
        return CheckFinding(
            "mtu", takesFragments ? .warning : .error, of: name,
            "the MTU of \(owner), \(size), is too large for programs that are not built as xdp.frags",
            evidence: single.kernelMessage.map { ["the kernel said: \($0)"] } ?? [],
            consequence: "the kernel refuses them in native mode", remedy: remedy ?? "Lower it")
    }

    /// The driver gave another reason than the MTU.
    private var refused: CheckFinding? {
        guard let refusal = facts.probe?.singleBuffer, !refusal.isAboutMTU, !refusal.saysNoNativeMode else {
            return nil
        }
        let takesFragments = facts.probe?.takesFragments == true
        return CheckFinding(
            "refused", takesFragments ? .warning : .error, of: name,
            takesFragments
                ? "the driver refuses programs that are not built as xdp.frags"
                : "the driver refuses programs now",
            evidence: ["the kernel said: \(refusal.text)"],
            remedy: takesFragments ? "Use programs that are built as xdp.frags" : nil)
    }

    /// What driver veth checks at every attachment.
    private var peerQueues: CheckFinding? {
        guard facts.link.kind == "veth", let peer = features.peer, let sending = peer.transmitQueues,
            let receiving = features.queues?.receive, receiving > 0, receiving < sending
        else { return nil }
        return CheckFinding(
            "queues", .error, of: name,
            "\(name) has fewer receive queues than its peer has transmit queues",
            evidence: [
                "ethtool: rx \(receiving) of \(name)",
                "ethtool: tx \(sending) of \(peer.description)",
            ],
            consequence: "the kernel refuses a program in native mode",
            remedy: peer.command("ethtool -L \(peer.name) tx \(receiving)"))
    }

    private var peerNAPI: CheckFinding? {
        guard facts.link.kind == "veth", features.features[.transmit] == .unsupported else { return nil }
        var evidence = features.evidence.filter { $0.hasPrefix("ndo-xmit") }
        if facts.hasNetdevFamily { evidence.append("the kernel's netdev family: no ndo-xmit") }
        guard let peer = features.peer else {
            return CheckFinding(
                Self.peerNAPI, .warning, of: name, "the peer of \(name) does not take packets from programs",
                evidence: evidence, consequence: lostPackets,
                remedy: "Switch GRO on at the peer, or load any program on it natively")
        }
        let load = "load any program on \(peer.name) natively"
        let switchOn = peer.command("ethtool -K \(peer.name) gro on")
        let remedy =
            facts.hasNetdevFamily || facts.groReceives == true
            ? "\(switchOn), or \(load)" : "\(load.prefix(1).uppercased())\(load.dropFirst())"
        return CheckFinding(
            Self.peerNAPI, .warning, of: name,
            "the peer, \(peer.description), takes no packets from programs: it has no program in native mode and no GRO",
            evidence: evidence, consequence: lostPackets, remedy: remedy)
    }

    private var lostPackets: String {
        "packets that are redirected to \(name), and those that a native program on it answers with tx, are lost "
            + "without a trace"
    }

    private var lro: CheckFinding? {
        guard features.offloads["rx-lro"] == true else { return nil }
        return CheckFinding(
            "lro", .warning, of: name, "large receive offload is on",
            evidence: ["ethtool: rx-lro: on"],
            consequence: "many drivers refuse programs while it is on, others switch it off",
            remedy: "`ethtool -K \(name) lro off`")
    }

    private var hardwareGRO: CheckFinding? {
        guard features.offloads["rx-gro-hw"] == true else { return nil }
        return CheckFinding(
            "gro-hw", .note, of: name, "the card joins packets (hardware GRO)",
            evidence: ["ethtool: rx-gro-hw: on"],
            consequence: "some drivers refuse programs while it is on, others switch it off",
            remedy: "`ethtool -K \(name) rx-gro-hw off`")
    }

    /// Drivers with XDP queues of their own need one for each processor beside those in use.
    private var queues: CheckFinding? {
        guard facts.link.kind == nil, let queues = features.queues, queues.maximumCombined > 0 else {
            return nil
        }
        let wanted = Int(queues.combined) + facts.processors
        guard wanted > Int(queues.maximumCombined) else { return nil }
        let left = Int(queues.maximumCombined) - facts.processors
        return CheckFinding(
            "queues", .note, of: name,
            "\(name) has \(queues.combined) of at most \(queues.maximumCombined) queues, and this machine "
                + "\(facts.processors) processors",
            evidence: [
                "ethtool: combined \(queues.combined), at most \(queues.maximumCombined)",
                "processors: \(facts.processors)",
            ],
            consequence:
                "some drivers (virtio_net among them) want a further queue for each processor: without "
                + "them tx and redirect are slower, or the program is refused",
            remedy: left > 0
                ? "`ethtool -L \(name) combined \(left)`" : "Give the machine a card with more queues")
    }

    /// Many drivers set their queues for redirected packets up together with a program.
    private var transmission: CheckFinding? {
        guard facts.link.kind != "veth", features.native == .supported,
            features.features[.transmit] == .unsupported
        else { return nil }
        let runs = facts.link.attachments.contains { $0.mode == .native }
        var evidence = ["the kernel's netdev family: no ndo-xmit"]
        var remedy: String? =
            runs ? nil : "Many drivers can with any program on them natively; look again once one runs"
        if let bits = facts.probe?.whileRunning {
            let can = bits.contains(.transmit)
            evidence.append("while a program was attached for a moment: \(can ? "" : "no ")ndo-xmit")
            remedy = can ? "Load any program on \(name) natively" : nil
        }
        return CheckFinding(
            "no-transmit", .note, of: name, "packets cannot be redirected to \(name) now",
            evidence: evidence,
            consequence: "packets that programs redirect to it are lost without a trace", remedy: remedy)
    }

    private var down: CheckFinding? {
        guard !features.isUp else { return nil }
        return CheckFinding(
            "down", .note, of: name, "\(name) is down", consequence: "no packet comes in or goes out",
            remedy: "`ip link set dev \(name) up`")
    }

    private var peerDown: CheckFinding? {
        guard let peer = features.peer, !peer.isUp else { return nil }
        return CheckFinding(
            "down", .note, of: peer.name, "the peer, \(peer.description), is down",
            consequence: "what is sent to \(name) is lost",
            remedy: peer.command("ip link set dev \(peer.name) up"))
    }

    private func command(_ text: String) -> String {
        features.peer.map { $0.command(text) } ?? "`\(text)`"
    }
}

// SPDX-License-Identifier: Apache-2.0
import Netlink
import Packets
import XDP

/// What rules would do to sessions: a pure function of both.
///
/// The packet that is held against the rules is the next one that the peer would send: data on the
/// connection that stands, as small as a keystroke; then the first one of a new connection.
struct LockoutRule {
    let rules: RuleSet
    let sets: [String: [SetElement]]
    /// The interface that the rules are for.
    let interface: String
    /// The indexes of all, by name.
    let interfaces: [String: UInt32]
    /// The interface's own address.
    let receiver: MACAddress?

    func findings(_ sessions: [ArrivingSession]) -> [CheckFinding] {
        let evaluator = Evaluator(rules, sets: relevant(to: sessions), interfaces: interfaces)
        var findings: [CheckFinding] = []
        var told: Set<[String]> = []
        for arriving in sessions {
            let found = finding(arriving, evaluator)
            for finding in found where told.insert([finding.what]).inserted { findings.append(finding) }
        }
        return findings
    }

    private func finding(_ arriving: ArrivingSession, _ evaluator: Evaluator) -> [CheckFinding] {
        let session = arriving.session
        var running = evaluator
        let decision = running.decide(packet(arriving, isFirst: false))
        if decision.verdict != .pass {
            return [cut(arriving, decision)]
        }
        var findings: [CheckFinding] = []
        for id in decision.matched {
            guard let rule = rules[id], case .limit(let limit) = rule.action, limit.excess != .pass else {
                continue
            }
            findings.append(
                CheckFinding(
                    "lockout", .warning, of: interface,
                    "the ssh session of \(session.end) counts in \(name(of: id)), which "
                        + "\(Self.words(limit.excess)) what is beyond its limit",
                    evidence: evidence(arriving, id),
                    consequence: "The session stalls while the limit is exceeded.",
                    remedy: pass(session, before: id)))
        }
        var starting = evaluator
        let first = starting.decide(packet(arriving, isFirst: true))
        if first.verdict != .pass {
            findings.append(
                CheckFinding(
                    "lockout", .warning, of: interface,
                    "\(name(of: first.rule)) \(Self.words(first.verdict)) new connections of \(session.peer) "
                        + "to port \(session.localPort)",
                    evidence: evidence(arriving, first.rule),
                    consequence: "The session goes on, but once it has ended there is no way back in.",
                    remedy: pass(session, before: first.rule)))
        }
        return findings
    }

    /// A session that the rules do not let pass.
    private func cut(_ arriving: ArrivingSession, _ decision: Decision) -> CheckFinding {
        let session = arriving.session
        var severity = CheckFinding.Severity.error
        var doubt = ""
        switch arriving.arrival {
        case .here: break
        // Its packets are not what the interface sees.
        case .tunnelled(let tunnel):
            severity = .warning
            doubt = "; it comes in through \(tunnel), so rules here meet the tunnel's packets instead"
        case .unknown(let reason):
            doubt = "; whether it comes in by \(interface) is not known, because \(reason)"
        }
        return CheckFinding(
            "lockout", severity, of: interface,
            "\(name(of: decision.rule)) \(Self.words(decision.verdict)) the ssh session of \(session.end)\(doubt)",
            evidence: evidence(arriving, decision.rule),
            consequence: severity == .error
                ? "It hangs as soon as the rules are in force, and nobody may be left to take them back."
                : nil,
            remedy: pass(session, before: decision.rule) + "; --force puts the rules on as they are, "
                + "and with `--confirm 60s` they go away again by themselves")
    }

    // MARK: - Packets

    private func packet(_ arriving: ArrivingSession, isFirst: Bool) -> PacketFields {
        let session = arriving.session
        func mac(_ address: MACAddress?) -> Packet.MAC { address.map { Packet.MAC($0.bytes) } ?? .zero }
        var packet = Packet.ethernet(from: mac(arriving.sender), to: mac(receiver))
        if session.peer.isIPv6 {
            packet = packet.ipv6(from: Packet.IPv6(session.peer.bytes), to: Packet.IPv6(session.local.bytes))
        } else {
            packet = packet.ipv4(from: Packet.IPv4(session.peer.bytes), to: Packet.IPv4(session.local.bytes))
        }
        packet = packet.tcp(
            from: session.peerPort, to: session.localPort, flags: isFirst ? .syn : [.psh, .ack],
            payload: [UInt8](repeating: 0, count: isFirst ? 0 : 36))
        return PacketFields(packet: packet.bytes, interface: interfaces[interface] ?? 0)
    }

    /// The elements that can matter: of large sets few have to be looked at.
    private func relevant(to sessions: [ArrivingSession]) -> [String: [SetElement]] {
        let addresses = sessions.flatMap { [$0.session.peer, $0.session.local] }
        return sets.mapValues { elements in
            elements.filter { element in
                element.components.allSatisfy { component in
                    switch component {
                    case .address(let address): addresses.contains(address)
                    case .prefix(let network): addresses.contains { network.contains($0) }
                    default: true
                    }
                }
            }
        }
    }

    // MARK: - Words

    private func evidence(_ arriving: ArrivingSession, _ id: RuleID) -> [String] {
        var lines = arriving.session.origins
        if let rule = rules[id] { lines.append(rule.text) }
        return lines
    }

    /// "rule 3 (line 12)".
    private func name(of id: RuleID) -> String {
        let line = rules[id].map(\.place.line) ?? 0
        let place = line > 0 ? " (line \(line))" : ""
        switch id {
        case .policy: return "the policy `default \(rules.policy == .aborted ? "abort" : "\(rules.policy)")`"
        case .rule(nil, let index): return "rule \(index + 1)\(place)"
        case .rule(let group?, let index): return "rule \(index + 1) of group \(group)\(place)"
        }
    }

    private static func words(_ verdict: Verdict) -> String {
        switch verdict {
        case .drop: "drops"
        case .aborted: "aborts"
        case .tx: "sends back"
        case .redirect: "redirects"
        default: "decides on"
        }
    }

    /// A rule that lets exactly these packets pass.
    private func pass(_ session: RemoteSession, before id: RuleID) -> String {
        let place: String
        switch id {
        case .policy: place = "Add the rule"
        case .rule: place = "Put before it"
        }
        return "\(place) `pass tcp src \(session.peer) dport \(session.localPort)`"
    }
}

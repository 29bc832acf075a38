// SPDX-License-Identifier: Apache-2.0
import XDP

/// AF_XDP sockets.
extension Hypothesis {
    static let socket = Hypothesis("socket", "Does an AF_XDP socket not take its packets, or is none there?")
    { facts in
        guard let program = facts.program else { return .ruledOut("no program is attached") }
        let users = program.members.filter { $0.code.redirects.contains(where: \.isToSockets) }
        guard !users.isEmpty else { return .ruledOut("no program redirects to sockets") }
        let full = SocketTrouble.notReading(facts)
        let findings = SocketTrouble.missing(facts, users) + full
        if findings.isEmpty, let reason = facts.blindness(.redirectError), facts.sockets.bound == nil {
            return .unknown(reason)
        }
        return .applies(findings, else: "sockets took all packets that were redirected to them")
    }
}

/// What may be wrong with sockets.
private enum SocketTrouble {
    /// Packets that found no socket: the map has no entry for their queue, or the one there is bound elsewhere.
    static func missing(
        _ facts: ExplanationFacts, _ users: [ProgramFacts.Member]
    ) -> [ExplanationFinding] {
        var findings: [ExplanationFinding] = []
        for member in users {
            for way in member.code.redirects where way.isToSockets {
                for verdict in [Verdict.drop, .aborted] where way.fallback?.contains(verdict) ?? false {
                    let packets = member.ended(verdict)
                    guard packets > 0, member.code.givesOnlyByRedirect(verdict) else { continue }
                    findings.append(
                        ExplanationFinding(
                            "socket", .loss, packets: packets,
                            "\(Amount.packets(packets)) were for an AF_XDP socket, and \(way.mapName) has none for their queue",
                            evidence: [
                                "the chain counted \(Amount.grouped(packets)) \(verdict) by \(member.name), which says so only where "
                                    + "there is no socket"
                            ] + sockets(facts) + queues(facts) + way.lines(in: member.name),
                            remedies: remedies(facts)))
                }
            }
        }
        let wrong = events(facts).filter { [-22, -6].contains($0.key.error) }
        let packets = wrong.reduce(0) { $0 + $1.count }
        if packets > 0 {
            findings.append(
                ExplanationFinding(
                    "socket", .loss, packets: packets,
                    "\(Amount.packets(packets)) were redirected to an AF_XDP socket that is not bound to their queue",
                    evidence: lines(wrong, facts) + sockets(facts) + queues(facts), remedies: remedies(facts))
            )
        }
        return findings
    }

    /// Packets that a socket had no room for.
    static func notReading(_ facts: ExplanationFacts) -> [ExplanationFinding] {
        let told = events(facts).filter { [-28, -105, -12].contains($0.key.error) }
        let bound = facts.sockets.bound ?? []
        let troubled = bound.filter { $0.dropped + $0.receiveFull + $0.fillEmpty > 0 }
        let packets = max(
            told.reduce(0) { $0 + $1.count }, troubled.reduce(0) { $0 + max($1.dropped, $1.receiveFull) })
        guard packets > 0 else { return [] }
        var evidence = lines(told, facts)
        for socket in troubled {
            evidence.append(
                "socket \(socket.inode) on queue \(socket.queue): \(Amount.grouped(socket.dropped)) dropped, receive ring full "
                    + "\(Amount.grouped(socket.receiveFull)) times, fill ring empty \(Amount.grouped(socket.fillEmpty)) times"
            )
        }
        let isEmpty =
            troubled.contains { $0.fillEmpty > 0 }
            || troubled.isEmpty && told.contains { $0.key.error == -12 }
        return [
            ExplanationFinding(
                "socket", .loss, packets: packets,
                "\(Amount.packets(packets)) were for an AF_XDP socket whose owner "
                    + (isEmpty ? "gave no buffers for them" : "does not take packets fast enough"),
                evidence: evidence,
                remedies: [
                    "Look at the process that has the socket: it has to read its receive ring and refill its fill ring"
                        + (facts.sockets.bound == nil ? "" : " (`ss --xdp -p`)"),
                    "Use more queues and sockets, or larger rings",
                ])
        ]
    }

    private static func events(_ facts: ExplanationFacts) -> [XDPEvent] {
        facts.events(.redirectError).filter(\.isForSockets)
    }

    private static func lines(_ events: [XDPEvent], _ facts: ExplanationFacts) -> [String] {
        Dictionary(grouping: events) { [Int64($0.key.error), Int64($0.key.map)] }.sorted {
            $0.key[0] < $1.key[0]
        }.map {
            key, events in
            "xdp:xdp_redirect_err: \(Amount.packets(events.reduce(0) { $0 + $1.count })), map \(facts.mapName(UInt32(key[1]))), "
                + "error \(key[0])"
        }
    }

    private static func sockets(_ facts: ExplanationFacts) -> [String] {
        if let bound = facts.sockets.bound {
            guard !bound.isEmpty else { return ["no AF_XDP socket is bound to \(facts.interface)"] }
            let queues = Set(bound.map(\.queue)).sorted().map(String.init).joined(separator: ", ")
            return ["AF_XDP sockets are bound to queue \(queues) of \(facts.interface)"]
        }
        guard let count = facts.sockets.count else { return [] }
        return [
            "this network namespace has \(count == 0 ? "no" : "\(count)") AF_XDP socket\(count == 1 ? "" : "s")"
        ]
    }

    /// Which queues packets came by, where the driver counts that.
    private static func queues(_ facts: ExplanationFacts) -> [String] {
        let by = ReceiveQueues.packets(facts)
        guard !by.isEmpty else { return [] }
        return [
            "packets came by queue "
                + by.map { "\($0.queue) (\(Amount.grouped($0.packets)))" }.joined(separator: ", ")
        ]
    }

    private static func remedies(_ facts: ExplanationFacts) -> [String] {
        var remedies = ["Start the process that opens the socket, on a queue that receives packets"]
        if let queues = facts.features.queues, queues.combined > 1 {
            remedies.append(
                "One socket for each of the \(queues.combined) queues, or one queue: `ethtool -L \(facts.interface) combined 1`"
            )
        } else if let queues = facts.features.queues, queues.receive > 1 {
            remedies.append(
                "One socket for each of the \(queues.receive) queues, or one queue: `ethtool -L \(facts.interface) rx 1`"
            )
        }
        return remedies
    }
}

/// Packets by receive queue, as drivers count them: `rx_queue_0_xdp_packets` (veth), `rx0_xdp_packets`, `rx_queue_0_packets`
/// (Intel), `rx0_packets` (mlx5, virtio).
enum ReceiveQueues {
    static func packets(_ facts: ExplanationFacts) -> [(queue: Int, packets: UInt64)] {
        var found: [Int: UInt64] = [:]
        for queue in facts.after.queues where queue.receives {
            let old = facts.before.queues.first { $0.number == queue.number && $0.receives }
            func packets(_ queue: InterfaceSample.Queue?) -> UInt64 {
                queue?.counters.first { $0.name == "rx-packets" }?.value ?? 0
            }
            if packets(queue) > packets(old) { found[Int(queue.number)] = packets(queue) - packets(old) }
        }
        for counter in facts.driverGrowth {
            guard let queue = number(counter.name) else { continue }
            found[queue] = max(found[queue] ?? 0, counter.value)
        }
        return found.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static func number(_ name: String) -> Int? {
        guard name.hasSuffix("packets") else { return nil }
        for prefix in ["rx_queue_", "rx-", "rx"] where name.hasPrefix(prefix) {
            let digits = name.dropFirst(prefix.count).prefix { $0.isNumber }
            if !digits.isEmpty { return Int(digits) }
        }
        return nil
    }
}

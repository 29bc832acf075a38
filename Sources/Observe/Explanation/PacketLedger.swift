// SPDX-License-Identifier: Apache-2.0
import XDP

/// Where the packets of a time went: each is in one entry.
public struct PacketLedger: Sendable, Hashable {
    public enum Way: String, Sendable, Hashable, Codable, CaseIterable {
        /// Passed on to the network stack.
        case stack
        /// A member said drop.
        case dropped
        /// A member said aborted.
        case aborted
        /// A member said what is no verdict; the kernel drops such packets.
        case unknownVerdict = "unknown-verdict"
        /// Sent back out of the interface.
        case sentBack = "sent-back"
        /// Were to be sent back, and could not.
        case notSentBack = "not-sent-back"
        /// Redirected to another interface, processor or socket.
        case redirected
        /// Were to be redirected, and could not.
        case notRedirected = "not-redirected"
        /// Had used up their tail calls, and got the chain's fallback verdict.
        case missed
        /// What a program did with them is not counted by anybody.
        case notCounted = "not-counted"
    }

    public struct Entry: Sendable, Hashable {
        public var way: Way
        /// The member that decided; nil where none did, or several.
        public var member: String?
        public var packets: UInt64
        /// More about it: the rule that decided.
        public var note: String?

        public init(_ way: Way, member: String? = nil, packets: UInt64, note: String? = nil) {
            self.way = way
            self.member = member
            self.packets = packets
            self.note = note
        }
    }

    /// Who counted.
    public enum Source: String, Sendable, Hashable, Codable {
        case chain, driver, stack
    }

    public var packets: UInt64
    public var source: Source
    /// The most first; those of no packet are left out.
    public var entries: [Entry]

    public init(packets: UInt64, source: Source, entries: [Entry]) {
        self.packets = packets
        self.source = source
        self.entries = entries.filter { $0.packets > 0 }.enumerated()
            .sorted { ($1.element.packets, $0.offset) < ($0.element.packets, $1.offset) }.map(\.element)
    }

    public init(_ facts: ExplanationFacts) {
        guard let program = facts.program else {
            let arrived = facts.grown("rx_packets")
            self.init(packets: arrived, source: .stack, entries: [Entry(.stack, packets: arrived)])
            return
        }
        guard program.isCounted, !program.hasChanged else {
            self.init(uncounted: facts)
            return
        }
        var entries: [Entry] = []
        for member in program.members {
            entries.append(
                Entry(
                    .dropped, member: member.name, packets: member.ended(.drop), note: member.mainRule(.drop))
            )
            entries.append(
                Entry(
                    .aborted, member: member.name, packets: member.ended(.aborted),
                    note: member.mainRule(.aborted)))
            entries.append(Entry(.unknownVerdict, member: member.name, packets: member.unknown))
            // Where the fallback verdict leads on, somebody else has the last word.
            if member.code.ends.contains(program.fallback) {
                entries.append(Entry(.missed, member: member.name, packets: member.missed))
            }
        }
        let failed = facts.failedRedirects
        entries += Self.split(
            program, .redirect, done: .redirected, failed: .notRedirected, failures: failed)
        entries += Self.split(
            program, .tx, done: .sentBack, failed: .notSentBack, failures: facts.failedTransmits)
        entries.append(Entry(.stack, packets: program.ended(.pass) ?? 0))
        self.init(
            packets: entries.reduce(0) { $0 + $1.packets }, source: .chain, entries: entries)
    }

    /// Says of packets that were lost why, as a finding does behind its colon.
    mutating func explain(_ way: Way, by finding: ExplanationFinding?) {
        guard let finding, let place = entries.firstIndex(where: { $0.way == way }) else { return }
        let parts = finding.what.split(separator: ": ", maxSplits: 1)
        if parts.count == 2 { entries[place].note = String(parts[1]) }
    }

    /// Of a program that nobody counts for but, perhaps, the driver.
    private init(uncounted facts: ExplanationFacts) {
        let arrived = max(facts.arrived, facts.xdpPacketsOfDriver)
        guard let dropped = facts.xdpDropsOfDriver else {
            self.init(
                packets: arrived, source: .stack, entries: [Entry(.notCounted, packets: arrived)])
            return
        }
        let sent = facts.grownInDriver(.sentBack) ?? 0
        let redirected = facts.grownInDriver(.redirected) ?? 0
        let failed = facts.failedRedirects
        let known = dropped &+ sent &+ redirected &+ failed
        self.init(
            packets: max(arrived, known), source: .driver,
            entries: [
                Entry(.dropped, packets: dropped), Entry(.sentBack, packets: sent),
                Entry(.redirected, packets: redirected), Entry(.notRedirected, packets: failed),
                Entry(.stack, packets: arrived > known ? arrived - known : 0),
            ])
    }

    /// What members said, less what came of it: failures cannot be told apart by member where several redirect.
    private static func split(
        _ program: ProgramFacts, _ verdict: Verdict, done: Way, failed: Way, failures: UInt64
    ) -> [Entry] {
        let all = program.members.map { ($0.name, $0.ended(verdict)) }.filter { $0.1 > 0 }
        guard failures > 0 else { return all.map { Entry(done, member: $0.0, packets: $0.1) } }
        guard all.count == 1, let only = all.first else {
            let sum = all.reduce(0) { $0 + $1.1 }
            return [
                Entry(done, packets: sum > failures ? sum - failures : 0),
                Entry(failed, packets: min(sum, failures)),
            ]
        }
        return [
            Entry(done, member: only.0, packets: only.1 > failures ? only.1 - failures : 0),
            Entry(failed, member: only.0, packets: min(only.1, failures)),
        ]
    }
}

extension ProgramFacts.Member {
    /// The rule of a filter that gave a verdict most often.
    func mainRule(_ verdict: Verdict) -> String? {
        let deciding = rules.filter { $0.verdict == verdict && $0.packets ?? 0 > 0 }
        guard let most = deciding.max(by: { $0.packets ?? 0 < $1.packets ?? 0 }) else { return nil }
        let others = deciding.count - 1
        return "\(most.name): \(most.text)"
            + (others > 0 ? ", and \(others) other\(others == 1 ? "" : "s")" : "")
    }
}

extension PacketLedger.Entry {
    /// In words, without the number: "dropped by fw (rule 3: drop udp dport 53)".
    public var text: String {
        let by = member.map { " by \($0)" } ?? ""
        let note = note.map { " (\($0))" } ?? ""
        let what =
            switch way {
            case .stack: "passed to the stack"
            case .dropped: "dropped\(by)"
            case .aborted: "aborted\(by)"
            case .unknownVerdict: "dropped because \(member ?? "a program") said what is no verdict"
            case .sentBack: "sent back\(by)"
            case .notSentBack: "could not be sent back"
            case .redirected: "redirected\(by)"
            case .notRedirected: "could not be redirected"
            case .missed: "did not reach \(member ?? "a member") for want of tail calls"
            case .notCounted: "met a program that nobody counts for"
            }
        return what + note
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Synchronization
import XDP

/// What a capture counts of each of its points: read, lost, and what came to it by the chain's own counters.
struct CaptureTally {
    private var captured: [UInt64] = []
    private let page: MappedValue
    /// What the chain's members had counted when they were looked at last, by name.
    private var last: [String: Reading]
    /// The chain as it was seen last, and its pages of counters, which otherwise go with it.
    private var chain: ActiveChain?
    private var pages: [MapHandle] = []
    private var seen: [TapPoint: UInt64] = [:]

    /// What a member had counted. Another one that takes its name, or its place in the counters, begins at another baseline.
    private struct Reading {
        var slot: Int
        var baseline: MemberCounters
        var counters: MemberCounters

        init(_ member: Member, _ counters: MemberCounters) {
            slot = member.counterSlot
            baseline = member.counterBaseline
            self.counters = counters
        }

        func isOf(_ member: Member) -> Bool {
            slot == member.counterSlot && baseline == member.counterBaseline
        }
    }

    /// - Parameter chain: what ran before the capture; nil if none did.
    init(_ page: MappedValue, before chain: ActiveChain?) throws(XDPError) {
        self.page = page
        last = try chain.map { (chain) throws(XDPError) in try Self.readings(of: chain) } ?? [:]
    }

    /// Room for a point, and one more record of it.
    mutating func count(_ point: Int) {
        guard point < Tap.maximumPoints else { return }
        while captured.count <= point { captured.append(0) }
        captured[point] += 1
    }

    /// Takes in what ran until now, and goes on with another chain.
    mutating func follow(_ chain: ActiveChain, points: [TapPoint]) throws(XDPError) {
        try update(points, before: chain.manifest.chain)
        self.chain = chain
        do throws(BPFError) {
            var pages: [MapHandle] = []
            if chain.manifest.chain.counters != .off {
                for id in chain.manifest.counterPages { pages.append(try MapHandle(id: id)) }
            }
            self.pages = pages
        } catch {
            throw XDPError(error, during: "The verdict counters cannot be read")
        }
    }

    /// Reads the chain's counters, and adds what was counted since the last time: members may go and others take their
    /// names, edges may lead elsewhere.
    ///
    /// - Parameter successor: what runs by now, if that is another chain: where it gave a member's place to another one, that
    ///   one's baseline is what the member had counted in the end.
    mutating func update(_ points: [TapPoint], before successor: Chain? = nil) throws(XDPError) {
        guard let chain else { return }
        let members = chain.manifest.chain.members
        let now = try Self.readings(of: chain)
        for point in points {
            let name = point.kind == .start ? members.first?.name : point.member
            guard let place = members.firstIndex(where: { $0.name == name }),
                let reading = now[members[place].name]
            else { continue }
            let member = members[place]
            let verdicts = Self.verdicts(at: point, of: member, isLast: place == members.count - 1)
            var new = verdicts(reading.counters)
            if let heir = successor?.members.first(where: { $0.counterSlot == member.counterSlot }),
                !reading.isOf(heir)
            {
                new = verdicts(heir.counterBaseline) &- verdicts(member.counterBaseline)
            }
            let old = last[member.name].flatMap { $0.isOf(member) ? verdicts($0.counters) : nil } ?? 0
            seen[point, default: 0] += new >= old ? new - old : 0
        }
        last.merge(now) { $1 }
    }

    func totals(_ points: [TapPoint]) -> CaptureTotals {
        CaptureTotals(
            points: points.enumerated().map { number, point in
                CaptureTotals.Point(
                    point: point, captured: number < captured.count ? captured[number] : 0,
                    lost: lost(number), seen: seen[point])
            })
    }

    private func lost(_ point: Int) -> UInt64 {
        guard point < Tap.maximumPoints else { return 0 }
        let place = page.memory + CapturePage.lostOffset(ofPoint: point)
        return UnsafePointer(place.assumingMemoryBound(to: Atomic<UInt64>.self)).pointee.load(
            ordering: .relaxed)
    }

    /// By member; empty where nothing is counted.
    private static func readings(of chain: ActiveChain) throws(XDPError) -> [String: Reading] {
        guard let counters = try chain.counters() else { return [:] }
        let readings = zip(chain.manifest.chain.members, counters).map { ($0.name, Reading($0, $1)) }
        return Dictionary(readings) { first, _ in first }
    }

    /// How many packets came to a point of a member, of what the member counted.
    private static func verdicts(
        at point: TapPoint, of member: Member, isLast: Bool
    ) -> (MemberCounters) -> UInt64 {
        guard point.kind == .end else { return { $0.total.packets } }
        let final = Verdict.allCases.filter { verdict in
            switch member.edge(after: verdict) {
            case .end: true
            case .next: isLast
            case .member: false
            }
        }
        return { counters in final.reduce(counters.unknown.packets) { $0 + counters[$1].packets } }
    }
}

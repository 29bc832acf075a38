// SPDX-License-Identifier: Apache-2.0
import BPF
import Synchronization
import XDP

/// What a capture counts of each of its points: read, lost, and what came to it by the chain's own counters.
struct CaptureTally {
    private var captured: [UInt64] = []
    private let page: MappedValue
    /// What the chain's members had counted when they were looked at last.
    private var last: [String: MemberCounters]
    /// The chain as it was seen last, and its pages of counters, which otherwise go with it.
    private var chain: ActiveChain?
    private var pages: [MapHandle] = []
    private var seen: [TapPoint: UInt64] = [:]

    /// - Parameter chain: what ran before the capture; nil if none did.
    init(_ page: MappedValue, before chain: ActiveChain?) throws(XDPError) {
        self.page = page
        last = try chain.map { (chain) throws(XDPError) in try Self.counters(of: chain) } ?? [:]
    }

    /// Room for a point, and one more record of it.
    mutating func count(_ point: Int) {
        guard point < Tap.maximumPoints else { return }
        while captured.count <= point { captured.append(0) }
        captured[point] += 1
    }

    /// Takes in what ran until now, and goes on with another chain.
    mutating func follow(_ chain: ActiveChain, points: [TapPoint]) throws(XDPError) {
        try update(points)
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
    mutating func update(_ points: [TapPoint]) throws(XDPError) {
        guard let chain else { return }
        let members = chain.manifest.chain.members
        let now = try Self.counters(of: chain)
        for point in points {
            let name = point.kind == .start ? members.first?.name : point.member
            guard let place = members.firstIndex(where: { $0.name == name }),
                let counters = now[members[place].name]
            else { continue }
            let verdicts = Self.verdicts(at: point, of: members[place], isLast: place == members.count - 1)
            let old = last[members[place].name].map(verdicts) ?? 0
            let new = verdicts(counters)
            // Smaller: another member has the name now.
            seen[point, default: 0] += new >= old ? new - old : new
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
    private static func counters(of chain: ActiveChain) throws(XDPError) -> [String: MemberCounters] {
        guard let counters = try chain.counters() else { return [:] }
        return Dictionary(zip(chain.manifest.chain.members.map(\.name), counters)) { first, _ in first }
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

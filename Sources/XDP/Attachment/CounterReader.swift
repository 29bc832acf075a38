// SPDX-License-Identifier: Apache-2.0
import BPF
import CBPF

/// Reads the pages of counters of a chain.
struct CounterReader {
    private let pages: [[UInt8]]

    init(pageIDs: [UInt32]) throws(BPFError) {
        var pages: [MapHandle] = []
        for id in pageIDs { pages.append(try MapHandle(id: id)) }
        try self.init(pages)
    }

    init(_ maps: [MapHandle]) throws(BPFError) {
        let cpus = max(1, Int(libbpf_num_possible_cpus()))
        var pages: [[UInt8]] = []
        for map in maps {
            let size = map.information.lookupSize(possibleCPUs: cpus)
            pages.append(try map.map.lookup([0, 0, 0, 0], valueSize: size) ?? [])
        }
        self.pages = pages
    }

    /// What a place holds, whoever had it before.
    func value(ofSlot slot: Int) -> MemberCounters {
        let page = slot / CounterPage.members
        guard slot >= 0, pages.indices.contains(page) else { return MemberCounters() }
        return CounterPage.counters(slot: slot % CounterPage.members, in: pages[page])
    }

    /// What each member counted since it took its place.
    func counters(of members: [Member]) -> [MemberCounters] {
        members.map { member in
            var counters = value(ofSlot: member.counterSlot)
            for code in counters.values.indices {
                counters.values[code] = counters.values[code] &- member.counterBaseline.values[code]
            }
            return counters
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// Gives rules their places in the counters.
///
/// What was there before keeps its place. A place of a rule that goes is free for the change after, not for this
/// one: until the old program is gone packets may still count there. Nothing is ever set to zero: what a place
/// holds when it is given is its baseline.
struct CounterLedger {
    private(set) var entries: [FilterRecord.CounterEntry] = []
    private(set) var places: [RuleID: CounterPlace] = [:]
    /// The entries that are new, by place in ``entries``: their baselines have to be read.
    private(set) var newcomers: [Int] = []

    /// - Parameter former: the filters that run now, whose places are taken.
    init(_ rules: RuleSet, former: [FilterRecord]) {
        var known: [RuleIdentity: FilterRecord.CounterEntry] = [:]
        var taken: Set<Int> = []
        for entry in former.flatMap(\.counters) {
            known[entry.identity] = known[entry.identity] ?? entry
            taken.insert(entry.place.number)
        }
        var given: [RuleIdentity: CounterPlace] = [:]
        var next = 0
        for (id, identity) in rules.counting {
            if let place = given[identity] {
                places[id] = place
                continue
            }
            let entry: FilterRecord.CounterEntry
            if let old = known[identity] {
                entry = old
            } else {
                while taken.contains(next) { next += 1 }
                entry = .init(identity: identity, place: CounterPlace(number: next))
                taken.insert(next)
                newcomers.append(entries.count)
            }
            entries.append(entry)
            given[identity] = entry.place
            places[id] = entry.place
        }
    }

    /// Reads what the places of newcomers hold on pages that were there before. Places on pages that are new
    /// begin at zero, also those of rules that counted there when such a page was last in use.
    ///
    /// - Parameter kept: the maps of the pages that are reused.
    mutating func settle(kept: [Int: MapHandle]) throws(BPFError) {
        let fresh = Set(newcomers)
        // A packet that began before the last change may still count.
        if newcomers.contains(where: { kept[entries[$0].place.page] != nil }) { GracePeriod.wait() }
        for index in entries.indices {
            let place = entries[index].place
            if let page = kept[place.page] {
                guard fresh.contains(index) else { continue }
                entries[index].baseline = try CounterValues.read(page.map, place.place)
            } else {
                entries[index].baseline = Counter()
            }
        }
    }
}

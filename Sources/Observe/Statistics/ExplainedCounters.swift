// SPDX-License-Identifier: Apache-2.0

/// What a driver counted of XDP, with what it means: names are looked up once.
struct ExplainedCounters {
    private var entries: [(counter: InterfaceSample.Named, meaning: DriverCounterMeaning)] = []

    init(_ counted: [InterfaceSample.Named], by profile: DriverProfile?) {
        guard let profile else { return }
        for counter in counted {
            if let meaning = profile.meaning(of: counter.name) { entries.append((counter, meaning)) }
        }
    }

    /// What was counted of a role, over all queues; nil where the driver counts no such thing. A driver that counts each queue and
    /// their sum is not added up twice.
    func sum(_ role: DriverCounterMeaning.Role) -> UInt64? {
        var total: UInt64?
        var queues: UInt64?
        for (counter, meaning) in entries where meaning.role == role {
            if meaning.isPerQueue {
                queues = (queues ?? 0) &+ counter.value
            } else {
                total = (total ?? 0) &+ counter.value
            }
        }
        return total ?? queues
    }

    /// The counters that such a sum is made of, as short as they can be said: patterns for those of queues.
    func names(of role: DriverCounterMeaning.Role) -> [String] {
        let found = entries.filter { $0.meaning.role == role }
        let totals = found.filter { !$0.meaning.isPerQueue }.map(\.counter.name)
        if !totals.isEmpty { return totals }
        var patterns: [String] = []
        for (_, meaning) in found {
            let pattern = meaning.pattern.split(separator: "#", omittingEmptySubsequences: false)
                .joined(separator: "*")
            if !patterns.contains(pattern) { patterns.append(pattern) }
        }
        return patterns
    }

    /// The counters of a role, one by one.
    func counters(_ role: DriverCounterMeaning.Role) -> [InterfaceSample.Named] {
        entries.filter { $0.meaning.role == role }.map(\.counter)
    }
}

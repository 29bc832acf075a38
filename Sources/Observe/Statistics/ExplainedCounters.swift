// SPDX-License-Identifier: Apache-2.0

/// What a driver counted of where packets went, with what it means: names are looked up once.
package struct ExplainedCounters {
    private var entries: [(counter: InterfaceSample.Named, meaning: DriverCounterMeaning)] = []

    package init(_ counted: [InterfaceSample.Named], of driver: String) {
        for counter in counted {
            if let meaning = DriverProfile.meaning(of: counter.name, driver: driver) {
                entries.append((counter, meaning))
            }
        }
    }

    /// What was counted of a role, over all queues; nil where the driver counts no such thing. A driver that counts each queue and
    /// their sum is not added up twice.
    package func sum(_ role: DriverCounterMeaning.Role) -> UInt64? {
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
    package func names(of role: DriverCounterMeaning.Role) -> [String] {
        let found = entries.filter { $0.meaning.role == role }
        let totals = found.filter { !$0.meaning.isPerQueue }.map(\.counter.name)
        if !totals.isEmpty { return totals }
        var names: [String] = []
        for (counter, meaning) in found {
            let name = meaning.name(of: counter.name)
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// The counters of a role; those of queues as one, under a name that stands for them, and not beside a sum of them.
    ///
    /// Packets that no program saw are lost at several places, so there the one is no sum of the others.
    package func counters(_ role: DriverCounterMeaning.Role) -> [InterfaceSample.Named] {
        var found: [InterfaceSample.Named] = []
        let hasSum =
            role != .neverSeen && entries.contains { $0.meaning.role == role && !$0.meaning.isPerQueue }
        for (counter, meaning) in entries where meaning.role == role && !(hasSum && meaning.isPerQueue) {
            let name = meaning.name(of: counter.name)
            if let place = found.firstIndex(where: { $0.name == name }) {
                found[place].value &+= counter.value
            } else {
                found.append(.init(name: name, value: counter.value))
            }
        }
        return found
    }
}

// SPDX-License-Identifier: Apache-2.0
import XDP

/// What happened on an interface between two samples.
public struct SampleDifference: Sendable, Hashable {
    /// As the later sample, but every counter is what was counted meanwhile.
    public let counted: InterfaceSample
    /// How long it was.
    public let seconds: Double
    /// What makes the numbers less than exact, in sentences; empty where nothing does.
    public let remarks: [String]
    /// Whether the chain was the same all the time.
    public let isSameChain: Bool

    /// Compares two samples of one interface.
    public init(from old: InterfaceSample, to new: InterfaceSample) {
        var counted = new
        var remarks: [String] = []
        counted.stack = Self.difference(old.stack, new.stack, "the stack", &remarks)
        counted.driverCounters = Self.difference(
            old.driverCounters, new.driverCounters, "the driver", &remarks)
        let queues = Dictionary(
            old.queues.map { (Place($0), $0) }, uniquingKeysWith: { first, _ in first })
        counted.queues = new.queues.map { queue in
            var queue = queue
            if let before = queues[Place(queue)] {
                queue.counters = Self.difference(before.counters, queue.counters, "a queue", &remarks)
            }
            return queue
        }
        counted.members = new.members?.map { member in
            guard let before = old.member(member.name), let difference = Self.difference(before, member)
            else {
                if old.members != nil { remarks.append("\(member.name) joined the chain meanwhile") }
                return member
            }
            var member = member
            member.counters = difference
            return member
        }
        counted.uncertainty = old.uncertainty &+ new.uncertainty
        isSameChain = old.programID == new.programID
        if !isSameChain { remarks.append("the chain was changed meanwhile") }
        self.counted = counted
        self.remarks = remarks
        seconds = Double(new.time &- old.time) / 1e9
    }

    private struct Place: Hashable {
        let number: UInt32
        let receives: Bool

        init(_ queue: InterfaceSample.Queue) {
            number = queue.number
            receives = queue.receives
        }
    }

    /// nil where the later one did not go on from the earlier.
    private static func difference(
        _ old: InterfaceSample.Member, _ new: InterfaceSample.Member
    ) -> MemberCounters? {
        guard old.counterSlot == new.counterSlot else { return nil }
        var difference = new.counters
        for (place, before) in old.counters.values.enumerated()
        where difference.values.indices.contains(place) {
            let now = difference.values[place]
            guard now.packets >= before.packets, now.bytes >= before.bytes else { return nil }
            difference.values[place] = Counter(
                packets: now.packets - before.packets, bytes: now.bytes - before.bytes)
        }
        return difference
    }

    /// A counter that was not there, or is less than before, began anew: then all of it is new.
    private static func difference(
        _ old: [InterfaceSample.Named], _ new: [InterfaceSample.Named], _ owner: String,
        _ remarks: inout [String]
    ) -> [InterfaceSample.Named] {
        // Usually they stand at the same places; there may be thousands.
        let before =
            old.count == new.count && zip(old, new).allSatisfy { $0.name == $1.name }
            ? nil : Dictionary(old.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
        var beganAnew: [String] = []
        let found = new.enumerated().map { place, counter in
            let earlier = before.map { $0[counter.name] ?? 0 } ?? old[place].value
            if counter.value >= earlier {
                return InterfaceSample.Named(name: counter.name, value: counter.value - earlier)
            }
            beganAnew.append(counter.name)
            return counter
        }
        if let first = beganAnew.first {
            let others = beganAnew.count == 1 ? "" : " and \(beganAnew.count - 1) more"
            remarks.append("\(owner) began to count \(first)\(others) anew meanwhile")
        }
        return found
    }
}

// SPDX-License-Identifier: Apache-2.0

/// The different constraints on a field, and which values no rule tells apart: those are one class.
///
/// Classes count from 1: the first value that is stored as a class must not be zero, of which the verifier would
/// remember that it is.
struct FieldClasses: Sendable {
    let key: FieldKey
    private(set) var constraints: [Constraint] = []
    private var numbers: [Constraint: Int] = [:]
    /// For each class the constraints that its values meet; nothing in place 0.
    private(set) var members: [[Int]] = [[]]
    private var known: [Signature: Int] = [:]

    /// Of each class begins where the next range of values does.
    struct Step<Bound: Sendable>: Sendable {
        var lower: Bound
        var kind: Int
    }

    private(set) var small: [Step<UInt32>] = []
    private(set) var four: [Step<UInt32>] = []
    private(set) var six: [Step<UInt128>] = []
    private(set) var mac: [Step<UInt64>] = []
    /// The class of packets without the field.
    private(set) var absent = 1

    private struct Signature: Hashable, Sendable {
        var low: UInt64 = 0
        var high: UInt64 = 0

        mutating func toggle(_ number: Int) {
            low ^= Self.mix(UInt64(number) &* 2 &+ 1)
            high ^= Self.mix(UInt64(number) &* 2 &+ 0x5851_f42d_4c95_7f2d)
        }

        /// SplitMix64 (public domain, Sebastiano Vigna).
        private static func mix(_ seed: UInt64) -> UInt64 {
            var value = seed &+ 0x9e37_79b9_7f4a_7c15
            value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
            value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
            return value ^ value >> 31
        }
    }

    init(_ key: FieldKey) {
        self.key = key
    }

    /// The number of a constraint.
    mutating func add(_ constraint: Constraint) {
        guard numbers[constraint] == nil else { return }
        numbers[constraint] = constraints.count
        constraints.append(constraint)
    }

    func number(of constraint: Constraint) -> Int? { numbers[constraint] }

    /// The largest class.
    var count: Int { members.count - 1 }

    /// Finds the classes, when all constraints are there.
    mutating func close() {
        switch key {
        case .small(let field):
            let sets = constraints.map {
                if case .small(let set) = $0 { set } else { IntervalSet<UInt32>.empty }
            }
            small = sweep(sets, upTo: field.absent)
            absent = Self.find(field.absent, in: small)
        case .address:
            let sets = constraints.map { if case .address(let set) = $0 { set } else { AddressSet([]) } }
            four = sweep(sets.map(\.four), upTo: .max)
            six = sweep(sets.map(\.six), upTo: .max)
            var signature = Signature()
            var active: Set<Int> = []
            for (number, set) in sets.enumerated() where set.hasAbsent {
                signature.toggle(number)
                active.insert(number)
            }
            absent = kind(signature, active)
        case .mac:
            let sets = constraints.map {
                if case .mac(let set) = $0 { set } else { IntervalSet<UInt64>.empty }
            }
            mac = sweep(sets, upTo: Constraint.absentMAC)
            absent = Self.find(Constraint.absentMAC, in: mac)
        case .predicate:
            break
        }
    }

    /// The class of a value.
    func kind(of number: UInt32) -> Int { Self.find(number, in: small) }

    static func find<Bound: Comparable>(_ value: Bound, in steps: [Step<Bound>]) -> Int {
        var low = 0
        var high = steps.count
        while low < high {
            let middle = (low + high) / 2
            if steps[middle].lower <= value { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 1 : steps[low - 1].kind
    }

    private mutating func kind(_ signature: Signature, _ active: Set<Int>) -> Int {
        if let kind = known[signature] { return kind }
        members.append(active.sorted())
        known[signature] = members.count - 1
        return members.count - 1
    }

    private mutating func sweep<Bound>(
        _ sets: [IntervalSet<Bound>], upTo maximum: Bound
    ) -> [Step<Bound>] {
        var events: [(at: Bound, set: Int)] = []
        for (number, set) in sets.enumerated() {
            for range in set.ranges {
                events.append((range.lowerBound, number))
                if range.upperBound < maximum { events.append((range.upperBound + 1, number)) }
            }
        }
        events.sort { $0.at < $1.at }
        var steps: [Step<Bound>] = []
        var signature = Signature()
        var active: Set<Int> = []
        var position: Bound = 0
        var next = 0
        while true {
            while next < events.count, events[next].at == position {
                let set = events[next].set
                signature.toggle(set)
                if active.remove(set) == nil { active.insert(set) }
                next += 1
            }
            let kind = kind(signature, active)
            if steps.last?.kind != kind { steps.append(Step(lower: position, kind: kind)) }
            guard next < events.count, events[next].at <= maximum else { return steps }
            position = events[next].at
        }
    }
}

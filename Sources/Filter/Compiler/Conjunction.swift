// SPDX-License-Identifier: Apache-2.0

/// What a constraint is about.
enum FieldKey: Hashable, Sendable {
    case small(SmallField)
    case address(AddressField)
    case mac(MACField)
    /// A question that no table answers, by its number.
    case predicate(Int)

    /// For orders that do not depend on hashing.
    var order: Int {
        switch self {
        case .small(let field): field.order
        case .address(let field): field == .source ? 100 : 101
        case .mac(let field): field == .source ? 102 : 103
        case .predicate(let number): 200 + number
        }
    }
}

/// The values of a field with which a packet matches; "the packet has no such field" is one of them.
enum Constraint: Hashable, Sendable {
    case small(IntervalSet<UInt32>)
    case address(AddressSet)
    /// 48 bits; ``absentMAC`` where there is none.
    case mac(IntervalSet<UInt64>)
    case truth(Bool)

    static let absentMAC: UInt64 = 1 << 48

    var isEmpty: Bool {
        switch self {
        case .small(let set): set.isEmpty
        case .address(let set): set.isEmpty
        case .mac(let set): set.isEmpty
        case .truth: false
        }
    }

    /// nil where nothing is in both.
    func intersection(_ other: Constraint) -> Constraint? {
        let both: Constraint
        switch (self, other) {
        case (.small(let left), .small(let right)): both = .small(left.intersection(right))
        case (.address(let left), .address(let right)): both = .address(left.intersection(right))
        case (.mac(let left), .mac(let right)): both = .mac(left.intersection(right))
        default: return self == other ? self : nil
        }
        return both.isEmpty ? nil : both
    }

    /// nil where everything is in one of them.
    func union(_ other: Constraint, of key: FieldKey) -> Constraint? {
        let both: Constraint
        switch (self, other) {
        case (.small(let left), .small(let right)): both = .small(left.union(right))
        case (.address(let left), .address(let right)): both = .address(left.union(right))
        case (.mac(let left), .mac(let right)): both = .mac(left.union(right))
        default: return self == other ? self : nil
        }
        return both.isEverything(of: key) ? nil : both
    }

    func isEverything(of key: FieldKey) -> Bool {
        switch (self, key) {
        case (.small(let set), .small(let field)):
            set.ranges == [0...field.absent]
                || (field == .fragment && set.contains(1) && set.contains(2) && set.contains(3))
        case (.address(let set), _): set == .everything
        case (.mac(let set), _): set.ranges == [0...Self.absentMAC]
        default: false
        }
    }
}

/// Constraints that a packet has to meet all.
struct Conjunction: Hashable, Sendable {
    private(set) var constraints: [FieldKey: Constraint] = [:]

    init() {}

    /// One constraint.
    init(_ key: FieldKey, _ constraint: Constraint) {
        if !constraint.isEverything(of: key) { constraints[key] = constraint }
    }

    subscript(key: FieldKey) -> Constraint? { constraints[key] }

    /// The fields, always in the same order.
    var keys: [FieldKey] { constraints.keys.sorted { $0.order < $1.order } }

    mutating func remove(_ key: FieldKey) { constraints[key] = nil }

    /// nil where no packet meets both.
    func and(_ other: Conjunction) -> Conjunction? {
        var both = self
        for (key, constraint) in other.constraints {
            if let mine = constraints[key] {
                guard let common = mine.intersection(constraint) else { return nil }
                both.constraints[key] = common
            } else {
                both.constraints[key] = constraint
            }
        }
        return both
    }

    /// Both as one, where they differ in no more than one field.
    func or(_ other: Conjunction) -> Conjunction? {
        if constraints.isEmpty { return self }
        if other.constraints.isEmpty { return other }
        guard constraints.count == other.constraints.count else { return nil }
        var different: FieldKey?
        for (key, constraint) in constraints {
            guard let theirs = other.constraints[key] else { return nil }
            if theirs == constraint { continue }
            guard different == nil else { return nil }
            different = key
        }
        guard let different, let mine = constraints[different], let theirs = other.constraints[different]
        else { return self }
        if case .predicate = different {
            // Asked and not asked: either way.
            var both = self
            both.remove(different)
            return both
        }
        var both = self
        both.constraints[different] = mine.union(theirs, of: different)
        return both
    }
}

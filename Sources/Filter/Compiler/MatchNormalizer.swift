// SPDX-License-Identifier: Apache-2.0
import Netlink

/// Makes conjunctions of matches: a packet matches if it meets one of them.
struct MatchNormalizer {
    /// The questions for code, each once.
    private(set) var predicates: [Predicate] = []
    private var numbers: [Predicate: Int] = [:]
    let interfaces: [String: UInt32]
    /// More conjunctions than this are not worth their bits.
    static let limit = 48

    init(interfaces: [String: UInt32]) {
        self.interfaces = interfaces
    }

    /// None where no packet matches.
    mutating func conjunctions(of match: Match) -> [Conjunction] {
        guard case .all(let parts) = match else {
            return expand(match, negated: false) ?? [question(.match(match), true)]
        }
        var result = [Conjunction()]
        for part in parts {
            let expanded = expand(part, negated: false)
            if let expanded, let product = Self.product(result, expanded) {
                result = product
            } else {
                result = Self.product(result, [question(.match(part), true)]) ?? result
            }
        }
        return result
    }

    /// The number of a question.
    mutating func number(of predicate: Predicate) -> Int {
        if let known = numbers[predicate] { return known }
        predicates.append(predicate)
        numbers[predicate] = predicates.count - 1
        return predicates.count - 1
    }

    private mutating func question(_ predicate: Predicate, _ answer: Bool) -> Conjunction {
        Conjunction(.predicate(number(of: predicate)), .truth(answer))
    }

    /// nil where there are too many.
    private mutating func expand(_ match: Match, negated: Bool) -> [Conjunction]? {
        switch match {
        case .always: return negated ? [] : [Conjunction()]
        case .not(let part): return expand(part, negated: !negated)
        case .all(let parts): return negated ? sum(parts, negated) : product(parts, negated)
        case .any(let parts): return negated ? product(parts, negated) : sum(parts, negated)
        case .test(let test): return leaf(test, negated).map { [$0] } ?? []
        }
    }

    private mutating func sum(_ parts: [Match], _ negated: Bool) -> [Conjunction]? {
        var result: [Conjunction] = []
        for part in parts {
            guard let expanded = expand(part, negated: negated) else { return nil }
            for one in expanded {
                if let place = result.indices.first(where: { result[$0].or(one) != nil }),
                    let both = result[place].or(one)
                {
                    result[place] = both
                } else {
                    result.append(one)
                }
            }
            guard result.count <= Self.limit else { return nil }
        }
        return result
    }

    private mutating func product(_ parts: [Match], _ negated: Bool) -> [Conjunction]? {
        var result = [Conjunction()]
        for part in parts {
            guard let expanded = expand(part, negated: negated), let product = Self.product(result, expanded)
            else { return nil }
            result = product
        }
        return result
    }

    private static func product(_ left: [Conjunction], _ right: [Conjunction]) -> [Conjunction]? {
        if right.count == 1, right[0].constraints.isEmpty { return left }
        var result: [Conjunction] = []
        for one in left {
            for other in right {
                if let both = one.and(other) { result.append(both) }
            }
            guard result.count <= limit else { return nil }
        }
        return result
    }

    /// nil where no packet can pass the test.
    private mutating func leaf(_ test: Test, _ negated: Bool) -> Conjunction? {
        if let (key, constraint) = Self.constraint(test) {
            let meant = negated ? Self.complement(constraint, of: key) : constraint
            return meant.isEmpty ? nil : Conjunction(key, meant)
        }
        switch test {
        case .interface(let names):
            return question(.interface(Set(names.compactMap { interfaces[$0] }).sorted()), !negated)
        case .bytes(let test): return question(.bytes(test), !negated)
        case .member(let set, let fields): return question(.member(of: set, fields), !negated)
        default: return nil
        }
    }

    /// What tables can answer.
    static func constraint(_ test: Test) -> (FieldKey, Constraint)? {
        switch test {
        case .number(let field, let ranges):
            return (
                .small(.number(field)),
                .small(IntervalSet(ranges).intersection(IntervalSet(0...field.maximum)))
            )
        case .tcpFlags(let value, let mask):
            let flags = (0...255).filter { UInt8($0) & mask == value }.map { UInt32($0)...UInt32($0) }
            return (.small(.tcpFlags), .small(IntervalSet(flags)))
        case .fragment(let kind):
            let values =
                switch kind {
                case .any: SmallField.firstFragment...SmallField.laterFragment
                case .first: SmallField.firstFragment...SmallField.firstFragment
                case .later: SmallField.laterFragment...SmallField.laterFragment
                }
            return (.small(.fragment), .small(IntervalSet(values)))
        case .address(let field, let networks):
            return (.address(field), .address(AddressSet(networks)))
        case .mac(let field, let addresses):
            return (.mac(field), .mac(IntervalSet(addresses.map { $0.value...$0.value })))
        case .interface, .bytes, .member:
            return nil
        }
    }

    static func complement(_ constraint: Constraint, of key: FieldKey) -> Constraint {
        switch (constraint, key) {
        case (.small(let set), .small(let field)): .small(set.complement(upTo: field.absent))
        case (.address(let set), _): .address(set.complement)
        case (.mac(let set), _): .mac(set.complement(upTo: Constraint.absentMAC))
        case (.truth(let answer), _): .truth(!answer)
        default: constraint
        }
    }
}

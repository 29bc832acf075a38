// SPDX-License-Identifier: Apache-2.0

/// What is known of every packet that a match is true for: for each field the values it can have.
///
/// It may hold more packets than the match, never fewer. So an empty region is a match that nothing can meet, and
/// what holds in the whole region holds for every packet of the match.
struct MatchRegion {
    /// Fields that are there, and their values.
    var numbers: [NumberField: [ClosedRange<UInt32>]] = [:]
    var addresses: [AddressField: [IPPrefix]] = [:]
    var macs: [MACField: Set<MACAddress>] = [:]
    var interfaces: Set<String>?
    /// The TCP flags that are known; nil where flags may be missing.
    var flags: (value: UInt8, mask: UInt8)?
    var fragments: Fragments = [.whole, .first, .later]
    /// Tests that hold, as they are written.
    var facts: Set<Match> = []
    var isEmpty = false

    struct Fragments: OptionSet {
        let rawValue: UInt8
        /// No fragment.
        static let whole = Fragments(rawValue: 1)
        static let first = Fragments(rawValue: 2)
        static let later = Fragments(rawValue: 4)
    }

    /// Beyond so many pairs or alternatives it is left at knowing less.
    private static let effort = 1024

    init(_ match: Match) {
        add(match)
    }

    // MARK: Building

    /// Keeps what the match is true for, too.
    mutating func add(_ match: Match) {
        guard !isEmpty else { return }
        switch match {
        case .always: break
        case .test(let test):
            facts.insert(match)
            add(test)
        case .not(let inner):
            facts.insert(match)
            exclude(inner)
        case .any(let parts):
            facts.insert(match)
            addOne(of: parts)
        case .all(let parts):
            // What is excluded says most where it is known what is there.
            for part in parts { if case .test = part { add(part) } }
            for part in parts { if case .any = part { add(part) } }
            for part in parts { if case .not = part { add(part) } }
            for part in parts { if case .all = part { add(part) } }
        }
        if case .not(let inner) = match, facts.contains(inner) { isEmpty = true }
    }

    private mutating func add(_ test: Test) {
        switch test {
        case .number(let field, let ranges): restrict(field, ranges)
        case .address(let field, let networks): restrict(field, networks)
        case .mac(let field, let values):
            restrict(.etherType, [0...65_535])
            macs[field] = macs[field]?.intersection(values) ?? Set(values)
            if macs[field]?.isEmpty == true { isEmpty = true }
        case .tcpFlags(let value, let mask):
            restrict(.protocol, [6...6])
            fragments.remove(.later)
            let known = flags ?? (0, 0)
            if value & ~mask != 0 || (value ^ known.value) & mask & known.mask != 0 { isEmpty = true }
            flags = (known.value | value, known.mask | mask)
        case .fragment(let kind):
            restrict(.ipVersion, [4...4, 6...6])
            keep(kind == .first ? .first : kind == .later ? .later : [.first, .later])
        case .interface(let names):
            interfaces = interfaces?.intersection(names) ?? Set(names)
            if interfaces?.isEmpty == true { isEmpty = true }
        case .bytes(let test):
            if test.comparison == .equal, test.value & ~test.mask != 0 { isEmpty = true }
            if test.base != .frame { restrict(.ipVersion, [4...4, 6...6]) }
            if test.base == .transport { keep([.whole, .first]) }
        case .member(_, let fields):
            for field in fields { require(field) }
        }
        if fragments.isEmpty { isEmpty = true }
    }

    private mutating func keep(_ kinds: Fragments) {
        fragments.formIntersection(kinds)
        if fragments.isEmpty { isEmpty = true }
    }

    /// The packet has the field.
    private mutating func require(_ field: SetField) {
        switch field {
        case .address: restrict(.ipVersion, [4...4, 6...6])
        case .number(let field): restrict(field, [0...field.maximum])
        case .mac: restrict(.etherType, [0...65_535])
        case .interface: break
        }
    }

    private mutating func restrict(_ field: NumberField, _ ranges: [ClosedRange<UInt32>]) {
        let values = numbers[field].map { NumberRanges.intersection($0, ranges) } ?? ranges
        numbers[field] = values
        if values.isEmpty {
            isEmpty = true
            return
        }
        switch field {
        case .sourcePort, .destinationPort:
            restrict(.protocol, [6...6, 17...17, 33...33, 132...132, 136...136])
            keep([.whole, .first])
        case .icmpType, .icmpCode:
            restrict(.protocol, [1...1])
            restrict(.ipVersion, [4...4])
            keep([.whole, .first])
        case .icmp6Type, .icmp6Code:
            restrict(.protocol, [58...58])
            restrict(.ipVersion, [6...6])
            keep([.whole, .first])
        case .protocol, .dscp, .trafficClass, .ttl: restrict(.ipVersion, [4...4, 6...6])
        case .ipVersion:
            let types: [ClosedRange<UInt32>] = [0x0800...0x0800, 0x86dd...0x86dd]
            let has4 = NumberRanges.contains(values, 4)
            let has6 = NumberRanges.contains(values, 6)
            let possible = has4 ? (has6 ? types : [types[0]]) : has6 ? [types[1]] : []
            restrict(.etherType, possible)
        case .innerVLAN: if numbers[.vlan] == nil { restrict(.vlan, [0...4095]) }
        case .etherType, .vlan, .length, .queue: break
        }
    }

    private mutating func restrict(_ field: AddressField, _ networks: [IPPrefix]) {
        let has4 = networks.contains { !$0.isIPv6 }
        let has6 = networks.contains(where: \.isIPv6)
        restrict(.ipVersion, (has4 ? [4...4] : []) + (has6 ? [6...6] : []))
        guard let known = addresses[field] else {
            addresses[field] = networks
            return
        }
        guard known.count * networks.count <= Self.effort else { return }
        let both = known.flatMap { one in
            networks.compactMap { other in one.covers(other) ? other : other.covers(one) ? one : nil }
        }
        addresses[field] = both
        if both.isEmpty { isEmpty = true }
    }

    /// What is in none of these, as far as that can be said of the fields that are known to be there.
    private mutating func exclude(_ match: Match) {
        switch match {
        case .always: isEmpty = true
        case .any(let parts): for part in parts { exclude(part) }
        case .not(let inner): add(inner)
        case .all: break
        case .test(.number(let field, let ranges)):
            guard let values = numbers[field] else { return }
            restrict(
                field,
                NumberRanges.intersection(
                    values, NumberRanges.complement(ranges, maximum: field.maximum)))
        case .test(.address(let field, let networks)):
            guard let known = addresses[field], known.count * networks.count <= Self.effort else { return }
            let rest = known.filter { one in !networks.contains { $0.covers(one) } }
            addresses[field] = rest
            if rest.isEmpty { isEmpty = true }
        case .test(.mac(let field, let values)):
            guard let known = macs[field] else { return }
            macs[field] = known.subtracting(values)
            if known.isSubset(of: values) { isEmpty = true }
        case .test(.interface(let names)):
            guard let known = interfaces else { return }
            interfaces = known.subtracting(names)
            if known.isSubset(of: names) { isEmpty = true }
        case .test(.fragment(let kind)):
            keep(kind == .first ? [.whole, .later] : kind == .later ? [.whole, .first] : .whole)
        case .test(.tcpFlags(let value, let mask)):
            // Known flags that are these.
            if let flags, mask & ~flags.mask == 0, flags.value & mask == value { isEmpty = true }
        case .test(.bytes), .test(.member): break
        }
    }

    // MARK: Alternatives

    private mutating func addOne(of parts: [Match]) {
        guard parts.count <= Self.effort else { return }
        var regions: [MatchRegion] = []
        for part in parts {
            var region = self
            region.add(part)
            if !region.isEmpty { regions.append(region) }
        }
        guard let first = regions.first else {
            isEmpty = true
            return
        }
        self = regions.dropFirst().reduce(first) { $0.hull(with: $1) }
    }

    /// What is known of both.
    private func hull(with other: MatchRegion) -> MatchRegion {
        var hull = self
        hull.numbers = [:]
        for (field, ranges) in numbers {
            if let others = other.numbers[field] { hull.numbers[field] = NumberRanges.union(ranges + others) }
        }
        hull.addresses = [:]
        for (field, networks) in addresses {
            if let others = other.addresses[field], networks.count + others.count <= Self.effort {
                hull.addresses[field] = networks + others
            }
        }
        hull.macs = [:]
        for (field, values) in macs {
            if let others = other.macs[field] { hull.macs[field] = values.union(others) }
        }
        if let names = interfaces, let others = other.interfaces {
            hull.interfaces = names.union(others)
        } else {
            hull.interfaces = nil
        }
        if let left = flags, let right = other.flags {
            let mask = left.mask & right.mask & ~(left.value ^ right.value)
            hull.flags = (left.value & mask, mask)
        } else {
            hull.flags = nil
        }
        hull.fragments = fragments.union(other.fragments)
        hull.facts = facts.intersection(other.facts)
        return hull
    }
}

// SPDX-License-Identifier: Apache-2.0

/// What the rules need to know of a packet: only that is read.
struct FieldNeeds: Sendable {
    /// Fields whose number code looks at.
    var numbers: Set<SmallField> = []
    /// Fields of which tables say the class.
    var classes: Set<SmallField> = []
    var addresses: Set<AddressField> = []
    var macs: Set<MACField> = []
    var ipVersion = false
    /// The whole frame's length, for actions.
    var length = false
    /// Whether code looks at bytes anywhere.
    var bytes = false
    var networkOffset = false
    var transportOffset = false

    /// What code needs that looks at the packet's own values.
    mutating func add(_ match: Match) {
        switch match {
        case .always: break
        case .all(let parts), .any(let parts): for part in parts { add(part) }
        case .not(let part): add(part)
        case .test(let test): add(test)
        }
    }

    mutating func add(_ predicate: Predicate) {
        switch predicate {
        case .bytes(let test): add(Test.bytes(test))
        case .interface, .run: break
        case .member(let set, let fields): add(Test.member(of: set, fields))
        case .match(let match): add(match)
        }
    }

    private mutating func add(_ test: Test) {
        switch test {
        case .number(let field, _): numbers.insert(.number(field))
        case .tcpFlags: numbers.insert(.tcpFlags)
        case .fragment: numbers.insert(.fragment)
        case .address(let field, _): addresses.insert(field)
        case .mac(let field, _): macs.insert(field)
        case .interface: break
        case .bytes(let test):
            bytes = true
            if test.base == .network { networkOffset = true }
            if test.base == .transport { transportOffset = true }
        case .member(_, let fields):
            for field in fields { add(field) }
        }
    }

    private mutating func add(_ field: SetField) {
        switch field {
        case .address(let field): addresses.insert(field)
        case .number(let field): numbers.insert(.number(field))
        case .mac(let field): macs.insert(field)
        case .interface: break
        }
    }

    /// What code needs to find the values themselves.
    mutating func addValues(_ keys: some Sequence<FieldKey>) {
        for key in keys {
            switch key {
            case .small(let field): numbers.insert(field)
            case .address(let field): addresses.insert(field)
            case .mac(let field): macs.insert(field)
            case .predicate: break
            }
        }
    }

    /// What tables need to find the class.
    mutating func addClass(_ key: FieldKey) {
        if case .small(let field) = key { classes.insert(field) } else { addValues([key]) }
    }

    /// What the action of a rule needs.
    mutating func add(_ action: FlatRule.Action) {
        switch action {
        case .limit(let limit):
            switch limit.scope {
            case .rule: break
            case .source: addresses.insert(.source)
            case .destination: addresses.insert(.destination)
            }
            if limit.rate.unit == .bytes { length = true }
        case .log: length = true
        case .decide, .redirect, .count: break
        }
    }

    func needs(_ field: SmallField) -> Bool { numbers.contains(field) || classes.contains(field) }

    func needs(_ field: NumberField) -> Bool { needs(.number(field)) }

    var needsVersion: Bool { ipVersion || !addresses.isEmpty }

    /// The kinds of transport headers that are looked into.
    var needsPorts: Bool { needs(.sourcePort) || needs(.destinationPort) || needs(.tcpFlags) }
    var needsMessages4: Bool { needs(.icmpType) || needs(.icmpCode) }
    var needsMessages6: Bool { needs(.icmp6Type) || needs(.icmp6Code) }
    var needsTransport: Bool { needsPorts || needsMessages4 || needsMessages6 || transportOffset }

    /// What is behind IPv6's extension headers, or in one of them.
    var needsExtensions: Bool { needsTransport || needs(.protocol) || needs(.fragment) }

    var needsNetwork: Bool {
        needsExtensions || needsVersion || networkOffset || needs(.ipVersion) || needs(.dscp)
            || needs(.trafficClass) || needs(.ttl)
    }

    var needsFrame: Bool {
        needsNetwork || !macs.isEmpty || needs(.etherType) || needs(.vlan) || needs(.innerVLAN)
    }
}

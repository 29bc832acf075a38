// SPDX-License-Identifier: Apache-2.0

/// The words of the language.
enum RuleWord: String, CaseIterable {
    // Statements.
    case set, rules, group, `default`, counters
    // Parts of a set.
    case from, timeout, timeouts, capacity, max
    // Actions.
    case drop, pass, abort, aborted, tx, redirect, jump, limit, log, sample, count
    // What follows a match.
    case to, at, per, burst, `else`, prefix, snap, counter, comment, unless
    // Joining.
    case and, or, not, `in`
    // Fields.
    case src, dst, host, sport, dport, port
    case ip, ip6, arp, ipversion, proto, `protocol`
    case icmp, icmpv6, flags, syn, type, code
    case vlan, inner, ethertype, mac, dscp, tclass, ttl, hoplimit, length, queue
    case fragment, first, later, interface, iif, all

    private static let table = Dictionary(
        uniqueKeysWithValues: allCases.map { (key(Array($0.rawValue.utf8)[...]), $0) })

    /// The word of these letters.
    init?(_ letters: ArraySlice<UInt8>) {
        guard let first = letters.first, first >= UInt8(ascii: "a"), letters.count <= 16,
            let word = Self.table[Self.key(letters)]
        else { return nil }
        self = word
    }

    /// Up to 16 letters as one number, which needs no memory.
    private static func key(_ letters: ArraySlice<UInt8>) -> UInt128 {
        letters.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// What a rule begins with.
    static let actions: Set<RuleWord> = [
        .drop, .pass, .abort, .aborted, .tx, .redirect, .jump, .limit, .log, .sample, .count,
    ]

    /// What ends a match.
    var endsMatch: Bool {
        switch self {
        case .to, .at, .sample, .per, .burst, .else, .prefix, .snap, .counter, .comment, .unless, .or: true
        default: false
        }
    }

    /// What a match can begin with, for suggestions.
    static let matchWords: [String] =
        [
            not, src, dst, host, sport, dport, port, ip, ip6, arp, ipversion, proto, icmp, icmpv6, flags, syn,
            vlan, inner, ethertype, mac, dscp, tclass, ttl, hoplimit, length, queue, fragment, first, later,
            iif,
            all, unless, counter, comment,
        ].map(\RuleWord.rawValue) + ProtocolNames.bare
}

// SPDX-License-Identifier: Apache-2.0

/// Names of numbers, as they are read and written. Where a number has several, the first is the one that is
/// written.
struct NameTable: Sendable {
    let entries: [(name: String, value: UInt32)]
    private let values: [String: UInt32]
    private let names: [UInt32: String]

    init(_ entries: [(name: String, value: UInt32)]) {
        self.entries = entries
        values = Dictionary(entries.map { ($0.name, $0.value) }) { first, _ in first }
        names = Dictionary(entries.map { ($0.value, $0.name) }) { first, _ in first }
    }

    func value(of name: String) -> UInt32? { values[name] }
    func name(of value: UInt32) -> String? { names[value] }
    var all: [String] { entries.map(\.name) }
}

/// Transport protocols (the registry of IP protocol numbers).
enum ProtocolNames {
    static let table = NameTable([
        ("hopopt", 0), ("icmp", 1), ("igmp", 2), ("ipip", 4), ("tcp", 6), ("egp", 8), ("igp", 9), ("udp", 17),
        ("dccp", 33), ("ipv6", 41), ("rsvp", 46), ("gre", 47), ("esp", 50), ("ah", 51), ("icmpv6", 58),
        ("none", 59), ("eigrp", 88), ("ospf", 89), ("pim", 103), ("ipcomp", 108), ("vrrp", 112),
        ("l2tp", 115),
        ("sctp", 132), ("udplite", 136), ("ipv6-icmp", 58), ("ipencap", 4), ("udp-lite", 136),
    ])

    /// Those that a match names without `proto`.
    static let bare = [
        "tcp", "udp", "sctp", "dccp", "udplite", "igmp", "gre", "esp", "ah", "ospf", "pim", "vrrp",
    ]

    /// The number of a name that stands alone.
    static let bareValues = Dictionary(
        uniqueKeysWithValues: bare.compactMap { name in table.value(of: name).map { (name, $0) } })
}

/// Types of frames (IEEE 802 numbers).
enum EtherTypeNames {
    static let table = NameTable([
        ("ip", 0x0800), ("arp", 0x0806), ("wol", 0x0842), ("rarp", 0x8035), ("vlan", 0x8100), ("ip6", 0x86dd),
        ("slow", 0x8809), ("mpls", 0x8847), ("mpls-multicast", 0x8848), ("pppoe-discovery", 0x8863),
        ("pppoe", 0x8864), ("eapol", 0x888e), ("qinq", 0x88a8), ("lldp", 0x88cc), ("macsec", 0x88e5),
        ("ptp", 0x88f7), ("ipv4", 0x0800), ("ipv6", 0x86dd),
    ])
}

/// Types and codes of ICMP.
enum ICMPNames {
    static let types = NameTable([
        ("echo-reply", 0), ("destination-unreachable", 3), ("source-quench", 4), ("redirect", 5),
        ("echo-request", 8), ("router-advertisement", 9), ("router-solicitation", 10), ("time-exceeded", 11),
        ("parameter-problem", 12), ("timestamp-request", 13), ("timestamp-reply", 14), ("info-request", 15),
        ("info-reply", 16), ("address-mask-request", 17), ("address-mask-reply", 18), ("unreachable", 3),
    ])

    static let types6 = NameTable([
        ("destination-unreachable", 1), ("packet-too-big", 2), ("time-exceeded", 3), ("parameter-problem", 4),
        ("echo-request", 128), ("echo-reply", 129), ("mld-listener-query", 130), ("mld-listener-report", 131),
        ("mld-listener-done", 132), ("router-solicitation", 133), ("router-advertisement", 134),
        ("neighbour-solicitation", 135), ("neighbour-advertisement", 136), ("redirect", 137),
        ("router-renumbering", 138), ("inverse-neighbour-solicitation", 141),
        ("inverse-neighbour-advertisement", 142), ("mld2-listener-report", 143), ("unreachable", 1),
        ("nd-router-solicit", 133), ("nd-router-advert", 134), ("nd-neighbor-solicit", 135),
        ("nd-neighbor-advert", 136), ("nd-redirect", 137), ("neighbor-solicitation", 135),
        ("neighbor-advertisement", 136),
    ])

    /// Codes are read by name only; what a code means depends on the type.
    static let codes = NameTable([
        ("net-unreachable", 0), ("host-unreachable", 1), ("protocol-unreachable", 2), ("port-unreachable", 3),
        ("fragmentation-needed", 4), ("net-prohibited", 9), ("host-prohibited", 10), ("admin-prohibited", 13),
    ])

    static let codes6 = NameTable([
        ("no-route", 0), ("admin-prohibited", 1), ("address-unreachable", 3), ("port-unreachable", 4),
    ])
}

/// Classes of service (RFC 2474, 2597, 3246, 5865, 8622).
enum DSCPNames {
    static let table = NameTable([
        ("cs0", 0), ("le", 1), ("cs1", 8), ("af11", 10), ("af12", 12), ("af13", 14), ("cs2", 16),
        ("af21", 18),
        ("af22", 20), ("af23", 22), ("cs3", 24), ("af31", 26), ("af32", 28), ("af33", 30), ("cs4", 32),
        ("af41", 34), ("af42", 36), ("af43", 38), ("cs5", 40), ("va", 44), ("ef", 46), ("cs6", 48),
        ("cs7", 56),
        ("default", 0),
    ])
}

/// TCP's flags.
enum TCPFlagNames {
    static let table = NameTable([
        ("fin", 1), ("syn", 2), ("rst", 4), ("psh", 8), ("ack", 16), ("urg", 32), ("ece", 64), ("cwr", 128),
    ])
}

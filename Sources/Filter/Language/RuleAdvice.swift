// SPDX-License-Identifier: Apache-2.0

/// What to say to words of other languages, and to what XDP cannot do.
enum RuleAdvice {
    private static let state =
        "XDP sees single packets and keeps no connections; answers to connections made from here can be let "
        + "through by flags (pass tcp flags ack), new ones told by `tcp syn`; nftables behind it knows states"
    private static let translation =
        "XDP's filter rewrites no packets; nftables behind it does, for packets that are passed"

    /// In place of an action.
    static let action: [String: String] = [
        "accept":
            "did you mean pass? It hands the packet on to the next program, and then to the network stack",
        "allow": "did you mean pass?", "permit": "did you mean pass?", "ok": "did you mean pass?",
        "deny": "did you mean drop?", "block": "did you mean drop?", "discard": "did you mean drop?",
        "reject":
            "XDP drops without an answer: drop; nftables behind it can send one, for packets that are passed",
        "return": "`pass` decides; behind a group's last rule a packet goes on after the jump",
        "goto": "did you mean jump?", "call": "did you mean jump?",
        "nat": translation, "snat": translation, "dnat": translation, "masquerade": translation,
        "rdr": translation, "binat": translation, "mark": translation,
        "ct": state, "keep": state,
        "police": "did you mean limit?", "ratelimit": "did you mean limit?",
        "bounce": "did you mean tx?", "reflect": "did you mean tx?", "forward": "did you mean redirect to?",
        "if": "the action comes first: drop tcp dport 23",
        "ip": "the action comes first: drop ip src 192.0.2.1",
        "tcp": "the action comes first: drop tcp dport 23",
        "udp": "the action comes first: drop udp dport 53",
        "src": "the action comes first: drop src 192.0.2.1",
    ]

    /// In place of a test.
    static let match: [String: String] = [
        "ct": state, "state": state, "established": state, "related": state, "new": state, "invalid": state,
        "keep": state, "conntrack": state, "untracked": state,
        "nat": translation, "snat": translation, "dnat": translation, "masquerade": translation,
        "saddr": "did you mean src?", "daddr": "did you mean dst?",
        "source": "did you mean src?", "destination": "did you mean dst?",
        "net": "networks need no word: src 192.0.2.0/24",
        "ipv4": "did you mean ip?", "ipv6": "did you mean ip6?", "inet6": "did you mean ip6?",
        "inet": "rules go for IPv4 and IPv6 without a word; for IPv4 alone: ip",
        "ether": "did you mean mac src, mac dst or ethertype?", "saddr.ether": "did you mean mac src?",
        "iifname": "did you mean iif?", "dev": "did you mean iif?", "oif": outgoing, "oifname": outgoing,
        "out": outgoing,
        "icmp6": "did you mean icmpv6?", "ipv6-icmp": "did you mean icmpv6?",
        "th": "ports need no word before them: dport 53", "l4proto": "did you mean proto?",
        "nexthdr": "did you mean proto? It is found behind extension headers",
        "meta": "its fields stand alone: proto, length, iif",
        "from": "did you mean src?", "any": "did you mean all?",
        "quick": "the first rule that decides ends it; leave quick out",
        "on": "did you mean iif?", "greater": "did you mean length > N?", "less": "did you mean length < N?",
        "multicast": "name the network: dst in { 224.0.0.0/4, ff00::/8 }",
        "broadcast": "mac dst ff:ff:ff:ff:ff:ff",
        "frag-off": "did you mean fragment?", "frag": "did you mean fragment?", "established,related": state,
        "mark": "a packet has no mark yet when XDP sees it",
        "skuid": "a packet has no socket yet when XDP sees it",
        "accept": "the action comes first: pass tcp dport 22",
        "drop": "the action comes first: drop tcp dport 22",
        "pass": "the action comes first: pass tcp dport 22",
    ]

    private static let outgoing = "XDP sees packets as they come in; where they leave is decided later"
}

// SPDX-License-Identifier: Apache-2.0

/// Random expressions over the whole of pcap-filter(7), as far as it speaks of Ethernet. libpcap refuses some: what contradicts
/// itself, and what it has too few registers for.
public struct PcapExpression {
    private var world: PcapWorld

    public init(seed: UInt64) {
        world = PcapWorld(seed: seed)
    }

    /// The next one.
    public mutating func next() -> String {
        let depth = world.random.choose([0, 0, 1, 1, 2, 2, 3])
        let tree = tree(depth: depth)
        guard world.random.oneIn(4) else { return tree }
        // What shifts all offsets behind it.
        let heads = (0..<world.random.choose(1...2)).map { _ in encapsulation() }
        return (heads + ["(\(tree))"]).joined(separator: " and ")
    }

    private mutating func tree(depth: Int) -> String {
        guard depth > 0 else { return primitive() }
        switch world.random.below(5) {
        case 0: return "not (\(tree(depth: depth - 1)))"
        case 1, 2: return joined("and", depth)
        default: return joined("or", depth)
        }
    }

    private mutating func joined(_ word: String, _ depth: Int) -> String {
        (0..<world.random.choose(2...3)).map { _ in "(\(tree(depth: depth - 1)))" }.joined(
            separator: " \(word) ")
    }

    private mutating func encapsulation() -> String {
        switch world.random.below(7) {
        case 0: "vlan"
        case 1, 2: "vlan \(world.random.choose(PcapWorld.tags))"
        case 3: "mpls"
        case 4: "mpls \(world.random.choose(PcapWorld.labels))"
        case 5: "pppoes"
        default: "pppoes \(world.random.choose([0, 1, 7]))"
        }
    }

    private mutating func primitive() -> String {
        switch world.random.below(24) {
        case 0, 1, 2: host()
        case 3, 4: net()
        case 5, 6, 7: port()
        case 8, 9: ports()
        case 10, 11: name()
        case 12: ether()
        case 13: length()
        case 14: number()
        case 15: casting()
        case 16: chain()
        case 17: encapsulation()
        case 18: rare()
        default: relation()
        }
    }

    private mutating func direction() -> String {
        world.random.choose(["", "", "src ", "dst ", "src or dst ", "src and dst "])
    }

    private mutating func host() -> String {
        if world.random.oneIn(3) {
            let family = world.random.choose(["", "ip6 "])
            return "\(family)\(direction())host \(PcapWorld.text(six: world.six()))"
        }
        let family = world.random.choose(["", "", "ip ", "arp ", "rarp "])
        return "\(family)\(direction())host \(PcapWorld.text(four: world.four()))"
    }

    private mutating func net() -> String {
        if world.random.oneIn(4) {
            let length = world.random.choose([0, 8, 32, 48, 64, 128])
            var address = world.six()
            for bit in length..<128 { address[bit / 8] &= ~(0x80 >> UInt8(bit % 8)) }
            return "\(direction())net \(PcapWorld.text(six: address))/\(length)"
        }
        let length = world.random.choose([0, 8, 16, 24, 25, 31, 32])
        var address = world.four()
        for bit in length..<32 { address[bit / 8] &= ~(0x80 >> UInt8(bit % 8)) }
        let family = world.random.choose(["", "", "ip ", "arp ", "rarp "])
        return "\(family)\(direction())net \(PcapWorld.text(four: address))/\(length)"
    }

    private mutating func transport() -> String {
        world.random.choose(["", "", "tcp ", "udp ", "sctp ", "ip proto 17 and ", "ip6 and tcp "])
    }

    private mutating func port() -> String {
        "\(transport())\(direction())port \(world.port())"
    }

    private mutating func ports() -> String {
        let (a, b) = (world.port(), world.port())
        return "\(transport())\(direction())portrange \(min(a, b))-\(max(a, b))"
    }

    private mutating func name() -> String {
        world.random.choose([
            "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6", "igmp", "pim", "ah", "esp",
            "vrrp",
            "igrp", "atalk", "aarp", "lat", "sca", "moprc", "mopdl", "decnet", "iso", "stp", "ipx", "netbeui",
            "ip multicast", "ip6 multicast", "multicast", "broadcast", "ether broadcast", "ether multicast",
        ])
    }

    private mutating func ether() -> String {
        let address = PcapWorld.text(mac: world.mac())
        return world.random.choose([
            "ether host \(address)", "ether src \(address)", "ether dst \(address)",
            "not ether src \(address) and ether dst \(PcapWorld.text(mac: world.mac()))",
        ])
    }

    private mutating func length() -> String {
        let value = world.random.choose([0, 14, 42, 60, 64, 100, 1000, 1500, world.random.choose(0...9000)])
        return world.random.choose(["greater \(value)", "less \(value)", "len = \(value)", "len & 7 != 0"])
    }

    private mutating func number() -> String {
        let kind = world.random.choose(["ip", "ip6", "ip", "ip6", "ether"])
        if kind == "ether" { return "ether proto \(world.random.choose(PcapWorld.etherTypes))" }
        return "\(kind) proto \(world.random.choose(PcapWorld.protocols))"
    }

    private mutating func casting() -> String {
        world.random.choose([
            "ip multicast or ip6 multicast", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
            "tcp[tcpflags] == tcp-syn",
            "icmp[icmptype] == icmp-echo", "icmp6[icmp6type] != icmp6-echo", "ip[6:2] & 0x1fff = 0",
            "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "udp[4:2] > 8", "ip[0] & 0xf != 5",
            "udp[8:2] & 0x8000 = 0",
        ])
    }

    private mutating func chain() -> String {
        let family = world.random.choose(["ip6 ", "ip6 ", "ip "])
        return "\(family)protochain \(world.random.choose([6, 17, 58, 1, 44, 51, 59, 132]))"
    }

    private mutating func rare() -> String {
        world.random.choose(
            [
                "pppoed", "llc", "llc i", "llc s", "llc u", "llc ui", "llc rr", "llc test", "clnp", "esis",
                "isis",
                "l1", "l2", "iih", "lsp", "snp", "csnp", "psnp", "geneve", "geneve 5", "ether proto \\ip",
                "link proto 0x806", "ip proto \\tcp", "ip6 proto \\icmp6", "proto 17", "proto 6", "true",
                "false",
            ].filter { $0 != "true" && $0 != "false" })
    }

    // MARK: - Arithmetic

    private mutating func relation() -> String {
        let comparison = world.random.choose(["=", "==", "!=", ">", "<", ">=", "<="])
        let left = sum(depth: world.random.choose([0, 0, 1, 1, 2]))
        let right = world.random.oneIn(4) ? sum(depth: 1) : constant()
        return "\(left) \(comparison) \(right)"
    }

    private mutating func constant() -> String {
        let value: UInt32 = world.random.choose([
            0, 1, 2, 5, 6, 17, 31, 32, 33, 64, 80, 255, 443, 0x0800, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000,
            .max,
            world.random.choose(0...UInt32.max),
        ])
        return world.random.oneIn(3) ? "0x" + String(value, radix: 16) : String(value)
    }

    private mutating func sum(depth: Int) -> String {
        guard depth > 0 else {
            return world.random.oneIn(8) ? "len" : load(depth: 0)
        }
        switch world.random.below(12) {
        case 0: return constant()
        case 1: return load(depth: depth)
        case 2: return "-(\(sum(depth: depth - 1)))"
        default:
            let sign = world.random.choose(["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>"])
            let right = world.random.flip() ? constant() : sum(depth: depth - 1)
            return "(\(sum(depth: depth - 1)) \(sign) \(right))"
        }
    }

    private mutating func load(depth: Int) -> String {
        let name = world.random.choose([
            "ether", "ether", "ip", "ip", "ip6", "tcp", "udp", "icmp", "icmp6", "arp", "rarp", "link", "sctp",
            "igmp",
        ])
        let offset: String
        if depth > 0, world.random.oneIn(2) {
            offset = world.random.oneIn(3) ? sum(depth: depth - 1) : "(\(sum(depth: depth - 1)) & 0x3f)"
        } else {
            offset = String(
                world.random.choose([
                    0, 1, 2, 4, 6, 8, 9, 12, 13, 16, 20, 30, 40, 58, 60, world.random.choose(0...100),
                    world.random.choose(0...5000),
                    world.random.choose([32_764, 32_768, 65_531, 65_532, 65_536, 70_000]),
                ]))
        }
        let size = world.random.choose(["", ":1", ":2", ":4"])
        return "\(name)[\(offset)\(size)]"
    }
}

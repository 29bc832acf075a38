// SPDX-License-Identifier: Apache-2.0
import TestSupport

/// Rule files to measure with, the same in every run.
enum FilterRules {
    /// Addresses of 10.0.0.0/8, all different.
    static func addresses(_ count: Int) -> [String] {
        var generator = SeededGenerator(seed: 7)
        var seen: Set<UInt32> = []
        while seen.count < count { seen.insert(UInt32.random(in: 0..<1 << 24, using: &generator)) }
        return seen.sorted().map { "10.\($0 >> 16).\($0 >> 8 & 255).\($0 & 255)" }
    }

    /// Networks of 16 to 28 bits in 10.0.0.0/8 and 172.0.0.0/8, all different.
    static func prefixes(_ count: Int) -> [String] {
        var generator = SeededGenerator(seed: 8)
        var seen: Set<String> = []
        while seen.count < count {
            let length = UInt32.random(in: 16...28, using: &generator)
            let bits = UInt32.random(in: 0..<1 << 24, using: &generator) & ~((1 << (32 - length)) - 1)
            let first = Bool.random(using: &generator) ? 10 : 172
            seen.insert("\(first).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)/\(length)")
        }
        return seen.sorted()
    }

    /// A rule for each address, each of which drops.
    static func lines(_ addresses: [String]) -> String {
        "rules {\n" + addresses.map { "  drop src \($0)\n" }.joined() + "  default pass\n}\n"
    }

    /// One rule that drops what a set holds.
    static func set(_ elements: [String], kind: String = "address") -> String {
        "set listed : \(kind) { \(elements.joined(separator: ", ")) }\n" + dropsListed
    }

    /// The same with the elements in a file.
    static func set(from file: String, kind: String) -> String {
        "set listed : \(kind) from \"\(file)\"\n" + dropsListed
    }

    private static let dropsListed = "rules {\n  drop src in @listed\n  default pass\n}\n"

    static let empty = "rules {\n  default pass\n}\n"

    /// Rules of many forms in an order that matters, none of which matches what is sent.
    static func mixed(_ count: Int) -> String {
        var generator = SeededGenerator(seed: 9)
        func byte() -> Int { Int.random(in: 0...255, using: &generator) }
        func port() -> Int { Int.random(in: 1...4000, using: &generator) }
        let lines = (0..<count).map { index -> String in
            switch index % 8 {
            case 0: return "drop src 10.\(byte()).\(byte()).0/24 tcp dport \(port())"
            case 1:
                let first = port()
                return "drop dst 172.16.\(byte()).\(byte()) udp dport \(first)-\(first + 40)"
            case 2: return "drop src 10.\(byte()).\(byte()).\(byte())"
            case 3: return "drop tcp sport \(port())"
            case 4:
                return "pass src 10.\(byte()).\(byte() & 0xf0).0/20 dst 172.16.\(byte()).0/24 tcp dport 443"
            case 5: return "drop udp dport { \(port()), \(port()) } ttl < \(byte() % 30 + 2)"
            case 6: return "drop icmp type echo-request src 10.\(byte()).0.0/16"
            default: return "drop src 2001:db8:\(String(byte(), radix: 16))::/48 tcp dport \(port())"
            }
        }
        return "rules {\n" + lines.map { "  \($0)\n" }.joined() + "  default pass\n}\n"
    }
}

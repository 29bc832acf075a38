// SPDX-License-Identifier: Apache-2.0
import BPF

/// What the protocols of the calling thread's network namespace have counted, by the kernel's names: `UdpNoPorts`,
/// `TcpExtListenDrops`, `Ip6InNoRoutes`.
package struct ProtocolReading: Sendable {
    package let counters: [String: UInt64]

    static func now() -> ProtocolReading {
        let texts = ["snmp", "netstat", "snmp6"].map {
            String(decoding: SmallFile.bytes(of: "/proc/thread-self/net/\($0)"), as: UTF8.self)
        }
        return ProtocolReading(tables: texts[0] + "\n" + texts[1], list: texts[2])
    }

    /// - Parameters:
    ///   - tables: pairs of lines, `Udp: InDatagrams NoPorts …` and `Udp: 5 1 …`.
    ///   - list: lines `Ip6InReceives  5`.
    package init(tables: String, list: String) {
        var counters: [String: UInt64] = [:]
        var names: [Substring] = []
        for line in tables.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let first = words.first, first.hasSuffix(":") else { continue }
            if names.first == first, names.count == words.count {
                for (name, value) in zip(names, words).dropFirst() {
                    // Some are negative: -1 for no limit.
                    if let value = UInt64(value) { counters["\(first.dropLast())\(name)"] = value }
                }
                names = []
            } else {
                names = words
            }
        }
        for line in list.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            if words.count == 2, let value = UInt64(words[1]) { counters[String(words[0])] = value }
        }
        self.counters = counters
    }

    /// Those that grew, and by how much.
    func grown(since before: ProtocolReading) -> [String: UInt64] {
        counters.reduce(into: [:]) { found, entry in
            let old = before.counters[entry.key] ?? 0
            if entry.value > old { found[entry.key] = entry.value - old }
        }
    }
}

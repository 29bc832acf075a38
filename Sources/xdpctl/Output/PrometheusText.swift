// SPDX-License-Identifier: Apache-2.0
import Observe
import XDP

/// Writes samples in the text format 0.0.4 of Prometheus.
struct PrometheusText {
    let lines: [String]

    /// A name with labels, and its value.
    private struct Series {
        let labels: [(name: String, value: String)]
        let value: UInt64
    }

    init(_ samples: [InterfaceSample]) {
        lines =
            Self.family(
                "xdp_packets_total",
                "Packets by the member of the chain that gave a verdict, and the verdict.",
                samples.flatMap { Self.verdicts($0) { $0.packets } })
            + Self.family(
                "xdp_bytes_total", "Bytes of those packets, as the member left them.",
                samples.filter { $0.counting == .bytes }.flatMap { Self.verdicts($0) { $0.bytes } })
            + Self.family(
                "xdp_missed_packets_total",
                "Packets that did not reach the member because they had used up their tail calls.",
                samples.flatMap { sample in
                    (sample.members ?? []).map {
                        Series(
                            labels: [("interface", sample.interface), ("member", $0.name)],
                            value: $0.counters.missed.packets)
                    }
                })
            + Self.family(
                "xdp_chain_changes_total", "Changes that the chain went through.",
                samples.compactMap { sample in
                    sample.generation.map { Series(labels: [("interface", sample.interface)], value: $0) }
                })
            + Self.family(
                "xdp_stack_total", "What the network stack counts of the interface (rtnl_link_stats64).",
                samples.flatMap { sample in
                    sample.stack.map {
                        Series(
                            labels: [("interface", sample.interface), ("counter", $0.name)], value: $0.value)
                    }
                })
            + Self.family(
                "xdp_driver_total",
                "What the driver counts of packets and programs (ethtool -S); the meaning is one word for all drivers.",
                samples.flatMap(Self.driver))
    }

    private static func verdicts(
        _ sample: InterfaceSample, _ value: (Counter) -> UInt64
    ) -> [Series] {
        (sample.members ?? []).flatMap { member in
            let counters =
                Verdict.allCases.map { ($0.description, member.counters[$0]) }
                + [("none", member.counters.unknown)]
            return counters.map { name, counter in
                Series(
                    labels: [("interface", sample.interface), ("member", member.name), ("verdict", name)],
                    value: value(counter))
            }
        }
    }

    private static func driver(_ sample: InterfaceSample) -> [Series] {
        // A series has to be there once, and nothing keeps a driver from using a name twice.
        var seen: Set<String> = []
        return sample.driverCounters.compactMap { counter in
            let role = DriverProfile.meaning(of: counter.name, driver: sample.driver)?.role.rawValue
            guard role != nil || counter.name.lowercased().contains("xdp"),
                seen.insert(counter.name).inserted
            else { return nil }
            return Series(
                labels: [
                    ("interface", sample.interface), ("driver", sample.driver), ("counter", counter.name),
                    ("meaning", role ?? ""),
                ], value: counter.value)
        }
    }

    /// Help and type stand once before all values; a family without values is left out.
    private static func family(_ name: String, _ help: String, _ series: [Series]) -> [String] {
        guard !series.isEmpty else { return [] }
        return ["# HELP \(name) \(help)", "# TYPE \(name) counter"]
            + series.map { one in
                let labels = one.labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",")
                return "\(name){\(labels)} \(one.value)"
            }
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": escaped += "\\\\"
            case "\"": escaped += "\\\""
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(character)
            }
        }
        return escaped
    }
}

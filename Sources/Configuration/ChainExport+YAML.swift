// SPDX-License-Identifier: Apache-2.0
import XDP

extension ChainExport {
    /// The file.
    public var yaml: String {
        var lines = ["version: \(version)"]
        lines.append(order.isEmpty ? "interfaces: {}" : "interfaces:")
        for name in order {
            guard let interface = interfaces[name] else { continue }
            lines.append("  \(YAMLText.quoted(name)):")
            lines.append("    mode: \(interface.mode)")
            lines.append("    counters: \(YAMLText.quoted(interface.counters))")
            if let fallback = interface.fallback { lines.append("    fallback: \(fallback)") }
            lines.append(interface.members.isEmpty ? "    members: []" : "    members:")
            for member in interface.members {
                for (place, line) in Self.lines(member).enumerated() {
                    lines.append((place == 0 ? "      - " : "        ") + line)
                }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func lines(_ member: Member) -> [String] {
        var lines = ["name: \(YAMLText.quoted(member.name))"]
        if member.adopted == true { lines.append("adopted: true") }
        if let remark = member.remark { lines.append("# \(remark)") }
        if let filter = member.filter { lines.append("filter: \(YAMLText.quoted(filter))") }
        if let rules = member.rules {
            lines.append("rules: |")
            lines += rules.split(separator: "\n").map { "  \($0)" }
        }
        if let object = member.object { lines.append("object: \(YAMLText.quoted(object))") }
        if let program = member.program { lines.append("program: \(YAMLText.quoted(program))") }
        if let sha256 = member.sha256 { lines.append("sha256: \(YAMLText.quoted(sha256))") }
        if let on = member.on {
            let edges = Verdict.allCases.compactMap { verdict in
                on[verdict.description].map { "\(verdict): \(YAMLText.quoted($0))" }
            }
            lines.append("on: { \(edges.joined(separator: ", ")) }")
        }
        if member.isolate == true { lines.append("isolate: true") }
        if let variables = member.variables {
            lines.append("variables:")
            lines += entries(variables.mapValues(YAMLText.value))
        }
        if let sizes = member.maxEntries {
            lines.append("max_entries:")
            lines += entries(sizes.mapValues(String.init))
        }
        if let maps = member.reuseMaps {
            lines.append("reuse_maps:")
            lines += entries(maps.mapValues(YAMLText.quoted))
        }
        if let directory = member.pinMaps { lines.append("pin_maps: \(YAMLText.quoted(directory))") }
        return lines
    }

    private static func entries(_ values: [String: String]) -> [String] {
        values.sorted { $0.key < $1.key }.map { "  \(YAMLText.quoted($0.key)): \($0.value)" }
    }
}

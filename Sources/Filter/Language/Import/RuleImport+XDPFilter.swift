// SPDX-License-Identifier: Apache-2.0
import XDP

/// xdp-filter: everything that is listed is dropped where the policy is to allow, and passed where it is to
/// deny; the order of entries does not matter, and the lists are the same for all interfaces.
extension RuleImport {
    private enum Section: String {
        case interfaces = "Loaded on interfaces:"
        case ports = "Filtered ports:"
        case addresses = "Filtered IP addresses:"
        case macs = "Filtered MAC addresses:"
    }

    /// What is dropped or passed for the same reason.
    private struct Entries {
        var values: [String] = []
        var line: Int
    }

    /// Says whether it was a status at all.
    mutating func readXDPFilter(_ bytes: [UInt8]) -> Bool {
        var section: Section?
        var isStatus = false
        var policy: Verdict?
        var entries: [Section: [String: Entries]] = [:]
        for (index, words) in Self.lines(bytes).enumerated() {
            let line = index + 1
            if let found = Section(rawValue: words.joined(separator: " ")) {
                section = found
                isStatus = true
                continue
            }
            guard let section, words.count >= 2, !["Mode", "Enabled"].contains(words[0]) else { continue }
            if section == .interfaces {
                guard let features = words.last?.split(separator: ",") else { continue }
                let own: Verdict? =
                    features.contains("deny") ? .drop : features.contains("allow") ? .pass : nil
                guard let own else { continue }
                if let policy, policy != own {
                    note(
                        line,
                        "\(words[0]) has another policy than the first interface; make a file of its own")
                }
                policy = policy ?? own
                let missing = ["tcp", "udp", "ipv4", "ipv6", "ethernet"].filter {
                    !features.contains(Substring($0))
                }
                if !missing.isEmpty {
                    note(
                        line,
                        "\(words[0]) is without \(missing.joined(separator: ", ")); here all entries count")
                }
            } else {
                entries[section, default: [:]][words[1], default: Entries(line: line)].values.append(words[0])
            }
        }
        guard isStatus else { return false }
        if policy == nil { note(1, "no interface says what the policy is; taken to be `allow`") }
        ruleSet.policy = policy ?? .pass
        let action = ruleSet.policy == .drop ? "pass" : "drop"
        addPorts(entries[.ports] ?? [:], action)
        addSets(
            entries[.addresses] ?? [:], "addresses", .address, action,
            ["src": "src", "dst": "dst", "": "host"])
        addSets(
            entries[.macs] ?? [:], "macs", .mac, action,
            ["src": "mac src", "dst": "mac dst", "": "mac host"])
        return true
    }

    /// The side that a mode names: both are neither.
    private static func side(_ mode: String) -> String {
        let parts = mode.split(separator: ",")
        return parts.contains("src") == parts.contains("dst") ? "" : parts.contains("src") ? "src" : "dst"
    }

    private mutating func addPorts(_ entries: [String: Entries], _ action: String) {
        for (mode, ports) in entries.sorted(by: { $0.value.line < $1.value.line }) {
            let parts = mode.split(separator: ",")
            let protocols = ["tcp", "udp"].filter { parts.contains(Substring($0)) }
            let which = protocols.count == 1 ? protocols[0] : "proto { tcp, udp }"
            let field = ["src": "sport", "dst": "dport"][Self.side(mode)] ?? "port"
            let list = ports.values.joined(separator: ", ")
            add(rule: "\(action) \(which) \(field) { \(list) }", line: ports.line)
        }
    }

    private mutating func addSets(
        _ entries: [String: Entries], _ name: String, _ kind: SetDeclaration.Kind, _ action: String,
        _ fields: [String: String]
    ) {
        for (mode, values) in entries.sorted(by: { $0.value.line < $1.value.line }) {
            let side = Self.side(mode)
            guard let field = fields[side] else { continue }
            let name = setName(for: side.isEmpty ? name : "\(name)-\(side)", line: values.line)
            var set = SetDeclaration(name: name, kinds: [kind])
            for value in values.values { add(value, to: &set, line: values.line) }
            ruleSet.sets.append(set)
            add(rule: "\(action) \(field) in @\(name)", line: values.line)
        }
    }
}

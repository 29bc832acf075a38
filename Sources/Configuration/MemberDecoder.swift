// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// Reads one item of `members`.
struct MemberDecoder {
    /// What is said of a member.
    static let keys = [
        "name", "object", "adopted", "program", "sha256", "on", "isolate", "variables", "max_entries",
        "reuse_maps", "pin_maps", "filter", "rules",
    ]
    /// What a filter has.
    static let filterKeys = ["name", "filter", "rules", "on"]
    /// What an adopted member has.
    static let adoptedKeys = ["name", "adopted", "on"]

    /// Where relative paths begin.
    let directory: String

    func decode(_ node: YAMLNode, into entry: inout InterfaceEntry, with file: inout FileDecoder) {
        let before = file.findings.count
        guard let content = file.mapping(node, "the member", keys: Self.keys) else { return }
        let hasUnknownKeys = file.findings.count > before
        let values = Dictionary(content.map { ($0.key, $0.value) }) { $1 }
        let isAdopted = values["adopted"].flatMap { truth($0, "adopted", &file) } ?? false
        let rules = self.rules(values, &file)
        var request = LoadRequest(path: "")
        if let object = values["object"], let path = file.text(object, "object", expected: "a path") {
            request.path = path.hasPrefix("/") ? path : "\(directory)/\(path)"
        } else if values["object"] == nil, !isAdopted, !hasUnknownKeys, rules == nil {
            file.add(
                node.place, "the member has no object",
                "expected `object: PATH`, `filter: PATH` for a packet filter, or `adopted: true` for a program "
                    + "that somebody else loaded")
        }
        guard
            let name = name(
                values["name"], request, isAdopted, isFilter: rules != nil, node, entry, &file)
        else { return }
        entry.places[.member(name)] = values["name"]?.place ?? node.place
        for part in content {
            entry.places[.value(member: name, key: part.key)] = part.value.place
            if isAdopted, !Self.adoptedKeys.contains(part.key) {
                file.add(
                    part.keyPlace, "an adopted member has no \(part.key)",
                    "it stays as its owner loaded it; expected \(Self.adoptedKeys.joined(separator: ", "))")
            } else if rules != nil, !Self.filterKeys.contains(part.key) {
                file.add(
                    part.keyPlace, "a filter has no \(part.key)",
                    "its rules say all of it; expected \(Self.filterKeys.joined(separator: ", "))")
            }
        }
        fill(&request, values, name, &entry, &file)
        var member = ChainSpecification.Member(
            name: name, source: rules.map { .rules($0) } ?? (isAdopted ? .adopted : .object(request)))
        if let edges = values["on"] { member.edges = self.edges(edges, name, &entry, &file) }
        if let digest = values["sha256"] { member.digest = self.digest(digest, &file) }
        entry.specification.members.append(member)
    }

    /// Where the rules of a filter stand; nil for another member.
    private func rules(
        _ values: [String: YAMLNode], _ file: inout FileDecoder
    ) -> ChainSpecification.Member.RuleOrigin? {
        if let node = values["filter"] {
            if let other = values["rules"] {
                file.add(other.place, "the filter has rules twice", "expected either `filter:` or `rules:`")
            }
            guard let path = file.text(node, "filter", expected: "the path of a rule file") else {
                return .text("")
            }
            return .file(path.hasPrefix("/") ? path : "\(directory)/\(path)")
        }
        guard let node = values["rules"] else { return nil }
        return .text(file.text(node, "rules", expected: "rules, as they stand in a rule file") ?? "")
    }

    private func name(
        _ node: YAMLNode?, _ request: LoadRequest, _ isAdopted: Bool, isFilter: Bool, _ member: YAMLNode,
        _ entry: InterfaceEntry, _ file: inout FileDecoder
    ) -> String? {
        var name = isFilter ? LiveFilter.standardName : LoadRequest.defaultName(request.path)
        if let node {
            guard let said = file.text(node, "name", expected: "a name") else { return nil }
            name = said
        } else if isAdopted {
            file.add(member.place, "the adopted member has no name", "expected `name: NAME`")
            return nil
        } else if request.path.isEmpty, !isFilter {
            return nil
        }
        let place = node?.place ?? member.place
        guard XDP.Member.isValid(name: name) else {
            file.add(
                place, "a member cannot be called \"\(FileDecoder.shown(name))\"",
                "expected up to 63 letters, digits, _, - and ., and none of the words next, end and all")
            return nil
        }
        if entry.specification.members.contains(where: { $0.name == name }) {
            file.add(
                place, "\(entry.name) has two members called \(name)",
                node == nil ? "give one of them another name with `name:`" : "expected another name")
            return nil
        }
        return name
    }

    /// Everything that the object is loaded with.
    private func fill(
        _ request: inout LoadRequest, _ values: [String: YAMLNode], _ name: String,
        _ entry: inout InterfaceEntry, _ file: inout FileDecoder
    ) {
        if let node = values["program"] {
            request.program = file.text(node, "program", expected: "the name of a function")
        }
        if let node = values["isolate"] { request.isIsolated = truth(node, "isolate", &file) ?? false }
        if let node = values["pin_maps"],
            let path = file.text(node, "pin_maps", expected: "a directory of the BPF file system")
        {
            if path.hasPrefix("/") {
                request.pinDirectory = path
            } else {
                file.add(node.place, "pin_maps is a relative path", "expected one that begins with /")
            }
        }
        for (key, value) in texts(
            "variables", values, name, &entry, &file, expected: "a number, true or a text")
        {
            request.variables[key] = value.text
        }
        for (key, value) in texts("max_entries", values, name, &entry, &file, expected: "a number") {
            if let count = UInt32(value.text), count > 0 {
                request.maximumEntries[key] = count
            } else {
                file.add(
                    value.place, "\"\(FileDecoder.shown(value.text))\" is no size of a map",
                    "expected a number from 1 to \(UInt32.max)")
            }
        }
        for (key, value) in texts("reuse_maps", values, name, &entry, &file, expected: "a path or id:N") {
            if let map = LoadRequest.ExistingMap(parsing: value.text),
                value.text.hasPrefix("/") || value.text.hasPrefix("id:")
            {
                request.reusedMaps[key] = map
            } else {
                file.add(
                    value.place, "\"\(FileDecoder.shown(value.text))\" is no map",
                    "expected a path that begins with /, or \"id:N\"")
            }
        }
    }

    private func texts(
        _ key: String, _ values: [String: YAMLNode], _ name: String, _ entry: inout InterfaceEntry,
        _ file: inout FileDecoder, expected: String
    ) -> [(String, (text: String, place: SourcePlace))] {
        guard let node = values[key], let content = file.mapping(node, key, keys: nil) else { return [] }
        var found: [(String, (text: String, place: SourcePlace))] = []
        for part in content {
            entry.places[.value(member: name, key: key, inner: part.key)] = part.value.place
            guard !part.key.isEmpty, !part.key.utf8.contains(0) else {
                file.add(part.keyPlace, "a name is missing in \(key)", "expected NAME: VALUE")
                continue
            }
            if let text = file.text(part.value, FileDecoder.shown(part.key), expected: expected) {
                found.append((part.key, (text, part.value.place)))
            }
        }
        return found
    }

    private func edges(
        _ node: YAMLNode, _ name: String, _ entry: inout InterfaceEntry, _ file: inout FileDecoder
    ) -> [Verdict: Edge] {
        let verdicts = Verdict.allCases.map(\.description)
        guard let content = file.mapping(node, "on", keys: verdicts) else { return [:] }
        var edges: [Verdict: Edge] = [:]
        for part in content {
            entry.places[.value(member: name, key: "on", inner: part.key)] = part.value.place
            if let verdict = Verdict(parsing: part.key),
                let target = file.text(part.value, part.key, expected: "next, end or a member")
            {
                edges[verdict] = Edge(parsing: target)
            }
        }
        return edges
    }

    private func digest(_ node: YAMLNode, _ file: inout FileDecoder) -> [UInt8]? {
        guard let text = file.text(node, "sha256", expected: "64 hexadecimal digits") else { return nil }
        let digits = text.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
        guard digits.count == 64, text.utf8.count == 64 else {
            file.add(
                node.place, "\"\(FileDecoder.shown(text))\" is no SHA-256",
                "expected 64 hexadecimal digits, as `sha256sum FILE` prints them")
            return nil
        }
        return stride(from: 0, to: 64, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private func truth(_ node: YAMLNode, _ key: String, _ file: inout FileDecoder) -> Bool? {
        if case .scalar(let text, isPlain: true) = node.content {
            switch text {
            case "true", "True", "TRUE": return true
            case "false", "False", "FALSE": return false
            default: break
            }
        }
        file.add(node.place, "\(key) is neither true nor false", "expected true or false")
        return nil
    }
}

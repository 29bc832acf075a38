// SPDX-License-Identifier: Apache-2.0
import XDP

/// Reads what a file says, and collects everything that is wrong with it.
///
/// Documentation/files.md describes the format, Documentation/schema/file.json as a schema.
public struct FileDecoder {
    /// The version of the format.
    public static let version = 1

    /// What is said of an interface.
    static let interfaceKeys = ["mode", "counters", "fallback", "members"]

    let file: String
    public private(set) var entries: [InterfaceEntry] = []
    public private(set) var findings: [Finding] = []

    /// - Parameter file: the path, as messages show it; objects with relative paths are looked for beside it.
    public init(file: String, text: [UInt8]) {
        self.file = file
        do throws(YAMLReader.Failure) {
            guard let root = try YAMLReader.read(text), !root.isNull else {
                add(
                    SourcePlace(line: 1, column: 1), "the file is empty",
                    "expected `version: 1` and `interfaces:`")
                return
            }
            decode(root)
        } catch {
            add(error.place, error.what, error.remedy)
        }
    }

    mutating func add(_ place: SourcePlace, _ what: String, _ remedy: String? = nil) {
        findings.append(
            Finding(.invalid, file: file, line: place.line, column: place.column, what, remedy: remedy))
    }

    private mutating func decode(_ root: YAMLNode) {
        guard let entries = mapping(root, "the file", keys: ["version", "interfaces"]) else { return }
        guard let version = entries.first(where: { $0.key == "version" }) else {
            return add(root.place, "the version of the format is missing", "expected `version: 1`")
        }
        guard case .scalar(let text, _) = version.value.content, text == String(Self.version) else {
            return add(
                version.value.place, "this version of the format is not known",
                "expected \(Self.version); a newer xdpctl may know it")
        }
        guard let interfaces = entries.first(where: { $0.key == "interfaces" }) else {
            return add(root.place, "interfaces is missing", "expected `interfaces:` and their names below")
        }
        if interfaces.value.isNull { return }
        for entry in mapping(interfaces.value, "interfaces", keys: nil) ?? [] {
            guard Self.isInterface(entry.key) else {
                add(
                    entry.keyPlace, "\"\(Self.shown(entry.key))\" cannot be the name of an interface",
                    "expected up to 15 characters without spaces, / and :")
                continue
            }
            decodeInterface(entry)
        }
    }

    // MARK: Interfaces

    private mutating func decodeInterface(_ node: YAMLNode.Entry) {
        var entry = InterfaceEntry(file: file, name: node.key, place: node.keyPlace)
        guard let content = mapping(node.value, "the interface", keys: Self.interfaceKeys) else { return }
        if !content.contains(where: { $0.key == "members" }) {
            add(node.keyPlace, "members is missing", "expected a list; `members: []` means no chain")
        }
        for part in content {
            let value = part.value
            switch part.key {
            case "mode":
                entry.places[.mode] = value.place
                if let mode: ModeRequest = choice(part) { entry.specification.mode = mode }
            case "counters":
                entry.places[.counters] = value.place
                if let counters: CounterMode = choice(part) { entry.specification.counters = counters }
            case "fallback":
                if let verdict = verdict(part.value) {
                    entry.specification.fallback = verdict
                    if verdict == .redirect {
                        add(
                            value.place, "redirect needs a target, which only a program can give",
                            "expected aborted, drop, pass or tx")
                    }
                }
            case "members":
                entry.places[.members] = part.keyPlace
                guard case .sequence(let items) = value.content else {
                    add(value.place, "members is \(value.kind)", "expected a list; `[]` means no chain")
                    continue
                }
                let decoder = MemberDecoder(directory: Self.directory(of: file))
                for item in items {
                    decoder.decode(item, into: &entry, with: &self)
                }
            default: break
            }
        }
        checkEdges(entry)
        entries.append(entry)
    }

    /// Edges lead to members of the same interface, and not to the member itself.
    private mutating func checkEdges(_ entry: InterfaceEntry) {
        let names = entry.specification.members.map(\.name)
        for member in entry.specification.members {
            for (verdict, edge) in member.edges.sorted(by: { $0.key < $1.key }) {
                guard case .member(let target) = edge else { continue }
                let part = InterfaceEntry.Part.value(
                    member: member.name, key: "on", inner: verdict.description)
                if !names.contains(target) {
                    findings.append(
                        entry.finding(
                            .invalid, at: part, "\(entry.name) has no member \(Self.shown(target))",
                            remedy: Spelling.guess(target, among: names + ["next", "end"])
                                ?? "expected next, end or one of \(names.joined(separator: ", "))"))
                } else if target == member.name {
                    findings.append(
                        entry.finding(
                            .invalid, at: part, "\(target) leads to itself",
                            remedy: "a packet may meet each member once"))
                }
            }
        }
    }

    // MARK: Pieces

    /// The entries of a mapping; unknown keys are findings, and so is everything that is no mapping.
    mutating func mapping(_ node: YAMLNode, _ what: String, keys: [String]?) -> [YAMLNode.Entry]? {
        guard case .mapping(let entries) = node.content else {
            add(
                node.place, "\(what) is \(node.kind)",
                keys.map { "expected the keys \($0.joined(separator: ", "))" } ?? "expected a mapping")
            return nil
        }
        guard let keys else { return entries }
        for entry in entries where !keys.contains(entry.key) {
            add(
                entry.keyPlace, "unknown key \"\(Self.shown(entry.key))\"",
                Spelling.guess(entry.key, among: keys) ?? "expected \(keys.joined(separator: ", "))")
        }
        return entries.filter { keys.contains($0.key) }
    }

    /// One of several words.
    mutating func choice<T: RawRepresentable<String> & CaseIterable>(_ entry: YAMLNode.Entry) -> T? {
        let words = T.allCases.map(\.rawValue)
        guard let text = text(entry.value, entry.key, expected: words.joined(separator: ", ")) else {
            return nil
        }
        if let value = T(rawValue: text) { return value }
        // YAML 1.1 reads a bare `off` as a truth value; people write either.
        if case .scalar(_, isPlain: true) = entry.value.content, text == "false" || text == "no",
            let value = T(rawValue: "off")
        {
            return value
        }
        add(
            entry.value.place, "\(entry.key) cannot be \"\(Self.shown(text))\"",
            Spelling.guess(text, among: words) ?? "expected \(words.joined(separator: ", "))")
        return nil
    }

    mutating func verdict(_ node: YAMLNode) -> Verdict? {
        let words = Verdict.allCases.map(\.description)
        guard let text = text(node, "the verdict", expected: words.joined(separator: ", ")) else {
            return nil
        }
        if let verdict = Verdict(parsing: text) { return verdict }
        add(
            node.place, "\"\(Self.shown(text))\" is no verdict",
            Spelling.guess(text, among: words) ?? "expected \(words.joined(separator: ", "))")
        return nil
    }

    /// A value that is a text and says something.
    mutating func text(_ node: YAMLNode, _ what: String, expected: String) -> String? {
        guard case .scalar(let text, _) = node.content, !node.isNull else {
            add(node.place, "\(what) is \(node.kind)", "expected \(expected)")
            return nil
        }
        guard !text.utf8.contains(0) else {
            add(node.place, "\(what) contains a zero byte", "expected \(expected)")
            return nil
        }
        return text
    }

    /// A text as messages show it: in one line, and not endless.
    static func shown(_ text: String) -> String {
        let plain = text.unicodeScalars.prefix(64).map { $0.value < 32 || $0.value == 127 ? "?" : String($0) }
        return plain.joined() + (text.unicodeScalars.count > 64 ? "…" : "")
    }

    private static func isInterface(_ name: String) -> Bool {
        (1...15).contains(name.utf8.count) && name != "." && name != ".."
            && !name.utf8.contains {
                $0 <= 32 || $0 == 127 || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":")
            }
    }

    private static func directory(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import Configuration

/// The schema of the file, the reader and the documentation say the same.
@Suite("The schema of configuration files")
struct FileSchemaTests {
    /// The YAML blocks of a document of this project.
    private static func examples(in document: String) throws -> [String] {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "\(root)/\(document)", encoding: .utf8)
        return text.components(separatedBy: "```yaml\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
    }

    private static func problems(_ text: String) throws -> [String] {
        guard let root = try YAMLReader.read(Array(text.utf8)) else { return ["empty"] }
        return try JSONSchema("file.json", in: JSONSchema.documented()).problems(JSONValue(root))
    }

    @Test(
        "the examples in the documentation are understood",
        arguments: ["Documentation/files.md", "README.md"])
    func examples(_ document: String) throws {
        let examples = try Self.examples(in: document)
        #expect(!examples.isEmpty)
        for example in examples {
            #expect(FileDecoder(file: "a.yaml", text: Array(example.utf8)).findings == [])
            #expect(try Self.problems(example) == [])
        }
    }

    @Test(
        "every key that the reader knows is in the schema and in the documentation, and the other way round")
    func keys() throws {
        let schema = try #require(try JSONSchema.documented()["file.json"]?["$defs"])
        func keys(_ name: String) -> Set<String> {
            guard case .object(let properties)? = schema[name]?["properties"] else { return [] }
            return Set(properties.keys)
        }
        #expect(keys("interface") == Set(FileDecoder.interfaceKeys))
        #expect(keys("member").union(keys("filter")) == Set(MemberDecoder.keys))
        #expect(keys("filter") == Set(MemberDecoder.filterKeys))
        #expect(keys("adopted") == Set(MemberDecoder.adoptedKeys))
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "\(root)/Documentation/files.md", encoding: .utf8)
        for key in FileDecoder.interfaceKeys + MemberDecoder.keys {
            #expect(text.contains("| `\(key)` |"), "\(key)")
        }
    }

    @Test("every field of what --json prints is in the documentation")
    func fields() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "\(root)/Documentation/json.md", encoding: .utf8)
        // What stands in backticks, word by word.
        let words = Set(
            text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
                .filter { $0.offset % 2 == 1 }
                .flatMap { $0.element.split { !$0.isLetter && !$0.isNumber && $0 != "_" } }.map(String.init))
        for (name, schema) in try JSONSchema.documented() where name != "file.json" {
            for field in schema.fields { #expect(words.contains(field), "\(name): \(field)") }
        }
    }

    @Test(
        "what is wrong for the reader is wrong for the schema",
        arguments: [
            "version: 2\ninterfaces: {}", "interfaces: {}", "version: 1", "version: 1\ninterfaces: {a: {}}",
            "version: 1\ninterfaces: {a: {members: {}}}", "version: 1\ninterfaces: {a: {members: [{}]}}",
            "version: 1\ninterfaces: {a: {members: [{object: 1, colour: 2}]}}",
            "version: 1\ninterfaces: {a: {mode: fast, members: []}}",
            "version: 1\ninterfaces: {a: {members: [{name: x, adopted: true, object: y}]}}",
            "version: 1\ninterfaces: {a: {members: [{object: x, max_entries: {y: 0}}]}}",
            "version: 1\ninterfaces: {a: {members: [{object: x, on: {fall: next}}]}}",
            "version: 1\ninterfaces: {a: {members: [{object: x, isolate: 1}]}}",
        ])
    func agreement(_ text: String) throws {
        #expect(!FileDecoder(file: "a.yaml", text: Array(text.utf8)).findings.isEmpty)
        #expect(try !Self.problems(text).isEmpty)
    }
}

extension JSONValue {
    /// The names of all properties that a schema speaks of.
    var fields: Set<String> {
        guard case .object(let members) = self else {
            if case .array(let items) = self { return Set(items.flatMap(\.fields)) }
            return []
        }
        var found = Set(members.values.flatMap(\.fields))
        if case .object(let properties)? = members["properties"] { found.formUnion(properties.keys) }
        return found
    }

    /// What YAML 1.2 makes of a node.
    init(_ node: YAMLNode) {
        switch node.content {
        case .sequence(let items): self = .array(items.map(JSONValue.init))
        case .mapping(let entries):
            self = .object(Dictionary(entries.map { ($0.key, JSONValue($0.value)) }) { $1 })
        case .scalar(let text, isPlain: false): self = .string(text)
        case .scalar(let text, isPlain: true):
            if node.isNull {
                self = .null
            } else if text == "true" || text == "false" {
                self = .bool(text == "true")
            } else if let number = Int64(text) {
                self = .integer(number)
            } else {
                self = Double(text).map { .number($0) } ?? .string(text)
            }
        }
    }
}

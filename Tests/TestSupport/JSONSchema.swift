// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials

/// The part of JSON Schema (draft 2020-12) that this project's schemas use. A keyword that is not known is an
/// error, so that nothing is written into a schema that is never checked.
public struct JSONSchema: Sendable {
    /// A schema that cannot be used.
    public struct Broken: Error, CustomStringConvertible {
        public let description: String
    }

    /// Keywords that explain.
    private static let annotations: Set<String> = ["$schema", "title", "description", "$defs"]

    private let name: String
    /// All schemas by file name, so that they can refer to each other.
    private let documents: [String: JSONValue]

    /// A schema among others.
    public init(_ name: String, in documents: [String: JSONValue]) throws {
        guard documents[name] != nil else { throw Broken(description: "there is no schema \(name)") }
        self.name = name
        self.documents = documents
    }

    /// What is wrong with a value: a line for each, with the place; none if it is as the schema says.
    public func problems(_ value: JSONValue) throws -> [String] {
        guard let root = documents[name] else { return [] }
        return try check(value, root, name, "$")
    }

    private func check(
        _ value: JSONValue, _ schema: JSONValue, _ document: String, _ path: String
    ) throws -> [String] {
        guard case .object(let keywords) = schema else {
            throw Broken(description: "\(document): a schema is an object")
        }
        var problems: [String] = []
        for (keyword, argument) in keywords.sorted(by: { $0.key < $1.key })
        where !Self.annotations.contains(keyword) {
            switch (keyword, argument) {
            case ("type", let types):
                if !Self.has(value, types) { problems.append("\(path): not of type \(types)") }
            case ("const", let only):
                if value != only { problems.append("\(path): not \(only)") }
            case ("enum", .array(let values)):
                if !values.contains(value) { problems.append("\(path): \(value) is none of \(values)") }
            case ("minimum", .integer(let least)):
                if case .integer(let number) = value, number < least {
                    problems.append("\(path): below \(least)")
                }
            case ("$ref", .string(let reference)):
                let (target, owner) = try resolve(reference, document)
                problems += try check(value, target, owner, path)
            case ("oneOf", .array(let schemas)):
                let results = try schemas.map { try check(value, $0, document, path) }
                let count = results.filter(\.isEmpty).count
                if count != 1 { problems.append("\(path): \(count) of oneOf fit: \(results)") }
            case ("anyOf", .array(let schemas)):
                let results = try schemas.map { try check(value, $0, document, path) }
                if !results.contains([]) { problems.append("\(path): none of anyOf fits: \(results)") }
            case ("items", let items):
                guard case .array(let elements) = value else { continue }
                for (place, element) in elements.enumerated() {
                    problems += try check(element, items, document, "\(path)[\(place)]")
                }
            case ("required", .array(let names)):
                guard case .object(let members) = value else { continue }
                for case .string(let name) in names where members[name] == nil {
                    problems.append("\(path): \(name) is missing")
                }
            case ("properties", .object(let properties)):
                guard case .object(let members) = value else { continue }
                for (name, property) in properties {
                    guard let member = members[name] else { continue }
                    problems += try check(member, property, document, "\(path).\(name)")
                }
            case ("additionalProperties", let rest):
                guard case .object(let members) = value else { continue }
                let known = keywords["properties"]
                for (name, member) in members where known?[name] == nil {
                    if rest == .bool(false) {
                        problems.append("\(path): \(name) is not known")
                    } else if rest != .bool(true) {
                        problems += try check(member, rest, document, "\(path).\(name)")
                    }
                }
            default: throw Broken(description: "\(document): \(keyword) is not understood at \(path)")
            }
        }
        return problems
    }

    private static func has(_ value: JSONValue, _ types: JSONValue) -> Bool {
        switch types {
        case .array(let several): return several.contains { has(value, $0) }
        case .string(let type):
            switch (type, value) {
            case ("null", .null), ("boolean", .bool), ("integer", .integer), ("number", .integer),
                ("number", .number), ("string", .string), ("array", .array), ("object", .object):
                return true
            default: return false
            }
        default: return false
        }
    }

    /// "#/$defs/NAME", or the same behind a file's name.
    private func resolve(_ reference: String, _ document: String) throws -> (JSONValue, String) {
        let parts = reference.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
        let owner = parts[0].isEmpty ? document : parts[0]
        guard parts.count == 2, parts[1].hasPrefix("/$defs/"),
            let target = documents[owner]?["$defs"]?[String(parts[1].dropFirst("/$defs/".count))]
        else { throw Broken(description: "\(document): \(reference) leads nowhere") }
        return (target, owner)
    }

    /// Every reference and keyword of a schema, also where no value got to.
    public func checkItself() throws {
        for (document, value) in documents { try walk(value, document, isSchema: true) }
    }

    private func walk(_ value: JSONValue, _ document: String, isSchema: Bool) throws {
        guard case .object(let members) = value else { return }
        if isSchema {
            if case .string(let reference)? = members["$ref"] { _ = try resolve(reference, document) }
            // Each keyword is looked at, whatever the type of the value.
            for sample in [JSONValue.object([:]), .array([])] {
                var shallow = members
                for key in ["properties", "items", "oneOf", "anyOf", "$ref"] { shallow[key] = nil }
                _ = try check(sample, .object(shallow), document, "$")
            }
            if members["properties"] != nil, members["additionalProperties"] == nil {
                throw Broken(description: "\(document): an object is not closed: \(members.keys.sorted())")
            }
        }
        for (key, member) in members {
            switch (key, member) {
            case ("properties", .object(let inner)), ("$defs", .object(let inner)):
                for schema in inner.values { try walk(schema, document, isSchema: true) }
            case ("items", _), ("additionalProperties", .object): try walk(member, document, isSchema: true)
            case ("oneOf", .array(let schemas)), ("anyOf", .array(let schemas)):
                for schema in schemas { try walk(schema, document, isSchema: true) }
            default: break
            }
        }
    }
}

extension JSONSchema {
    /// The schemas in `Documentation/schema`, by file name.
    public static func documented() throws -> [String: JSONValue] {
        // This file is Tests/TestSupport/JSONSchema.swift.
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let directory = root + "/Documentation/schema"
        var found: [String: JSONValue] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: directory)
        where name.hasSuffix(".json") {
            guard let data = FileManager.default.contents(atPath: "\(directory)/\(name)") else { continue }
            found[name] = try JSONDecoder().decode(JSONValue.self, from: data)
        }
        return found
    }
}

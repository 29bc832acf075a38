// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing

@testable import BPF

@Suite("Values of global variables")
struct VariableTests {
    /// The bytes of a value for a variable of the fixture; nil if it is none.
    private func encode(_ text: String, for variable: String) throws -> [UInt8]? {
        let object = try open("variables")
        guard let btf = object.btf() else { return nil }
        let members = btf.dataSections.flatMap { btf.members(of: $0) }
        let member = try #require(members.first { $0.name == variable })
        return VariableText.encode(text, as: member.type, size: Int(member.size), in: btf)
    }

    @Test(
        "values become little-endian bytes of the variable's size",
        arguments: [
            ("unsigned8", "255", [255]), ("unsigned8", "0xff", [255]), ("unsigned8", "0", [0]),
            ("unsigned16", "258", [2, 1]), ("unsigned32", "4294967295", [255, 255, 255, 255]),
            ("unsigned64", "18446744073709551615", [UInt8](repeating: 255, count: 8)),
            ("unsigned64", "0x0102030405060708", [8, 7, 6, 5, 4, 3, 2, 1]),
            ("signed8", "-128", [0x80]), ("signed8", "127", [127]), ("signed8", "0x80", [0x80]),
            ("signed16", "-1", [255, 255]), ("signed32", "-2147483648", [0, 0, 0, 0x80]),
            ("signed64", "-9223372036854775808", [0, 0, 0, 0, 0, 0, 0, 0x80]),
            ("signed64", "9223372036854775807", [255, 255, 255, 255, 255, 255, 255, 0x7f]),
            ("flag", "true", [1]), ("flag", "false", [0]), ("flag", "1", [1]),
            ("level", "MEDIUM", [7, 0, 0, 0]), ("level", "NEGATIVE", [253, 255, 255, 255]),
            ("level", "5", [5, 0, 0, 0]), ("text", "hello", [104, 101, 108, 108, 111, 0, 0, 0]),
            ("text", "", [UInt8](repeating: 0, count: 8)),
            ("text", "1234567", [49, 50, 51, 52, 53, 54, 55, 0]),
            ("changing", "9", [9, 0, 0, 0]),
        ] as [(String, String, [UInt8])])
    func encodes(variable: String, text: String, bytes: [UInt8]) throws {
        #expect(try encode(text, for: variable) == bytes)
    }

    @Test(
        "what does not fit or is none is refused",
        arguments: [
            ("unsigned8", "256"), ("unsigned8", "-1"), ("unsigned8", ""), ("unsigned8", "x"),
            ("unsigned8", "0x"),
            ("unsigned8", "1 "), ("unsigned8", "0x100"), ("unsigned16", "65536"),
            ("unsigned32", "4294967296"),
            ("unsigned64", "18446744073709551616"), ("signed8", "128"), ("signed8", "-129"),
            ("signed32", "2147483648"), ("signed64", "-9223372036854775809"), ("signed64", "--1"),
            ("flag", "2"),
            ("flag", "yes"), ("level", "HIGH"), ("text", "12345678"), ("pair", "1"), ("signed8", "-"),
            ("unsigned8", "+-1"), ("signed8", "-+1"),
        ])
    func refuses(variable: String, text: String) throws {
        #expect(try encode(text, for: variable) == nil)
        let object = try open("variables")
        do throws(BPFError) {
            try object.setVariable(variable, to: text)
            Issue.record("\(variable) took \(text)")
        } catch {
            #expect(error.kernelMessage?.hasPrefix("\"\(text)\" is no value for ") == true)
        }
    }

    @Test("an unknown variable is refused with the names that there are")
    func unknown() throws {
        let object = try open("verdict")
        let names = object.variableNames()

        #expect(names == ["enabled", "label", "longest", "seen", "verdict"])
        do throws(BPFError) {
            try object.setVariable("nobody", to: "1")
            Issue.record("an unknown variable was set")
        } catch {
            #expect(error.remedy == "It has enabled, label, longest, seen, verdict")
        }
    }
}

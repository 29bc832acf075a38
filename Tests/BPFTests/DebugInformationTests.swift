// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BPF

@Suite("The smallest BTF")
struct DebugInformationTests {
    private func words(_ bytes: [UInt8]) -> [UInt32] {
        stride(from: 0, to: bytes.count, by: 4).compactMap { ByteReader(bytes).integer(at: $0) }
    }

    @Test("two functions and two lines give these bytes")
    func golden() {
        let information = DebugInformation(
            functions: [.init(instruction: 0, name: "main"), .init(instruction: 7, name: "sub")],
            lines: [
                .init(instruction: 0, file: "a.c", text: "first", position: 3 << 10 | 1),
                .init(instruction: 7, file: "a.c", text: "second", position: 9 << 10),
            ])

        let header = Array(information.btf.prefix(24))
        #expect(header.prefix(4) == [0x9f, 0xeb, 1, 0])
        #expect(words(header)[1...] == [24, 0, 52, 52, 31])
        #expect(
            words(Array(information.btf[24..<76])) == [
                1, 1 << 24, 4, 1 << 24 | 32,  // int, signed, 32 bits
                0, 13 << 24, 1,  // int (void)
                5, 12 << 24, 2,  // static main
                10, 12 << 24, 2,  // static sub
            ])
        #expect(
            String(decoding: information.btf[76...], as: UTF8.self)
                == "\0int\0main\0sub\0a.c\0first\0second\0")
        #expect(words(information.functionRecords) == [0, 3, 7, 4])
        #expect(words(information.lineRecords) == [0, 14, 18, 3 << 10 | 1, 7, 14, 24, 9 << 10])
    }

    @Test(
        "names become what the kernel takes for an identifier",
        arguments: [
            ("main", "main"), ("a-b.c", "a_b_c"), ("9lives", "_9lives"), ("", "anonymous"), ("ä", "__"),
            (String(repeating: "x", count: 300), String(repeating: "x", count: 127)),
        ])
    func identifiers(name: String, expected: String) {
        let btf = DebugInformation(functions: [.init(instruction: 0, name: name)], lines: []).btf

        #expect(String(decoding: btf[(24 + 40)...], as: UTF8.self) == "\0int\0\(expected)\0")
    }

    @Test("a NUL in a line's text does not shift the strings behind it")
    func nul() {
        let information = DebugInformation(
            functions: [.init(instruction: 0, name: "f")],
            lines: [.init(instruction: 0, file: "x\0y", text: "b", position: 0)])

        #expect(String(decoding: information.btf[64...], as: UTF8.self) == "\0int\0f\0xy\0b\0")
        #expect(words(information.lineRecords) == [0, 7, 10, 0])
    }
}

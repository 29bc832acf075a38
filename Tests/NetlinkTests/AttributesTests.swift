// SPDX-License-Identifier: Apache-2.0
import Netlink
import Testing

@Suite("Reading attributes")
struct AttributesTests {
    @Test("attributes are read in order, without padding, with their flags taken off")
    func order() {
        let attributes = Attributes(
            hex(
                """
                05 00 02 00  # one byte, three of padding
                ab 00 00 00
                08 00 03 40  # network byte order
                12 34 56 78
                0c 00 04 80  # nested
                08 00 01 00
                01 00 00 00
                06 00 05 00  # the last one may come without padding
                34 12
                """)[...])

        #expect(attributes.map(\.type) == [2, 3, 4, 5])
        #expect(attributes[2]?.uint8 == 0xAB && attributes[2]?.value.count == 1)
        #expect(attributes[3].map { Array($0.value) } == [0x12, 0x34, 0x56, 0x78])
        #expect(attributes[4]?.nested[1]?.uint32 == 1)
        #expect(attributes[5]?.uint16 == 0x1234)
        #expect(attributes.isWellFormed)
        #expect(attributes[9] == nil)
    }

    @Test("of several attributes with one number the last counts, as in the kernel")
    func last() {
        let attributes = Attributes(hex("05 00 01 00 0a 00 00 00  05 00 01 00 0b 00 00 00")[...])

        #expect(attributes[1]?.uint8 == 0x0B)
    }

    @Test(
        "a value that is too short for a number reads as nil",
        arguments: [0, 1, 2, 3, 4, 7, 8])
    func shortValues(_ size: Int) {
        let bytes = [UInt8(4 + size), 0, 1, 0] + [UInt8](repeating: 0xFF, count: size)
        let attribute = Attributes(bytes[...])[1]

        #expect((attribute?.uint8 != nil) == (size >= 1))
        #expect((attribute?.uint16 != nil) == (size >= 2))
        #expect((attribute?.uint32 != nil) == (size >= 4))
        #expect((attribute?.int32 != nil) == (size >= 4))
        #expect((attribute?.uint64 != nil) == (size >= 8))
        #expect(attribute?.uint == (size >= 8 ? .max : size >= 4 ? 0xFFFF_FFFF : nil))
    }

    @Test(
        "a list that lies about a length ends before the lie",
        arguments: [
            ("a length of zero", "00 00 01 00 00 00 00 00"),
            ("a length below the header's", "03 00 01 00 00 00 00 00"),
            ("a length beyond the end", "09 00 01 00 00 00 00 00"),
            ("the longest length", "ff ff 01 00 00 00 00 00"),
            ("half a header", "08 00"),
            ("a header without its value", "08 00 01 00"),
        ])
    func hostile(_ lie: String, _ tail: String) {
        let good = "08 00 07 00 01 00 00 00 "

        let attributes = Attributes(hex(good + tail)[...])

        #expect(attributes.map(\.type) == [7], "\(lie)")
        #expect(!attributes.isWellFormed, "\(lie)")
    }

    @Test("text ends at its NUL, and what is not UTF-8 is replaced")
    func text() {
        let bytes = hex(
            """
            09 00 01 00 65 74 68 00 78 00 00 00
            07 00 02 00 65 74 68 00
            06 00 03 00 ff 00 00 00
            04 00 04 00
            """)
        let attributes = Attributes(bytes[...])

        #expect(attributes.map(\.string) == ["eth", "eth", "\u{FFFD}", ""])
    }

    @Test("nothing is no attribute")
    func empty() {
        #expect(Array(Attributes([])).isEmpty)
        #expect(Attributes([]).isWellFormed)
    }
}

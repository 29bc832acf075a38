// SPDX-License-Identifier: Apache-2.0
import CBPF
import Netlink
import SystemPackage
import Testing

@Suite("Writing messages")
struct MessageBuilderTests {
    @Test("header, attributes of every kind and padding are as the kernel lays them out")
    func layout() throws {
        var message = MessageBuilder(type: 0x12, flags: 0x0400)
        message.attribute(1)
        message.attribute(2, uint8: 0xAB)
        message.attribute(3, uint16: 0x1234)
        message.attribute(4, uint32: 0x1234_5678)
        message.attribute(5, int32: -1)
        message.attribute(6, uint64: 0x0102_0304_0506_0708)
        message.attribute(7, string: "veth0")
        message.attribute(8, bytes: [2, 0, 0, 0, 0, 1])

        let bytes = try message.encoded(sequence: 7, adding: 0x0005)

        let golden = hex(
            """
            58 00 00 00  # length 88
            12 00 05 04  # type, flags: what was given and what was added
            07 00 00 00  # sequence
            00 00 00 00  # port: the kernel fills it in
            04 00 01 00  # a flag has no value
            05 00 02 00  # length counts no padding
            ab 00 00 00
            06 00 03 00
            34 12 00 00
            08 00 04 00
            78 56 34 12
            08 00 05 00
            ff ff ff ff
            0c 00 06 00
            08 07 06 05
            04 03 02 01
            0a 00 07 00  # text with its NUL
            76 65 74 68
            30 00 00 00
            0a 00 08 00
            02 00 00 00
            00 01 00 00
            """)
        #expect(dump(bytes) == dump(golden))
    }

    @Test("nested attributes carry their flag and the length of what is in them")
    func nested() throws {
        var message = MessageBuilder(type: 1)
        message.nest(18) { outer in
            outer.attribute(1, string: "x")
            outer.nest(2) { $0.attribute(3) }
        }
        message.attribute(4)

        let golden = hex(
            """
            28 00 00 00  # length 40
            01 00 00 00
            00 00 00 00
            00 00 00 00
            14 00 12 80  # nested, 20 bytes
            06 00 01 00
            78 00 00 00
            08 00 02 80  # nested, 8 bytes
            04 00 03 00
            04 00 04 00
            """)
        #expect(try dump(message.encoded()) == dump(golden))
    }

    @Test("a nest whose body fails leaves nothing behind")
    func failedNest() throws {
        struct Failed: Error {}
        var message = MessageBuilder(type: 1)
        let before = message

        #expect(throws: Failed.self) {
            try message.nest(1) { nested in
                nested.attribute(2, uint32: 1)
                throw Failed()
            }
        }

        #expect(message == before)
    }

    @Test("a value beyond an attribute's 65 531 bytes is refused when the message is sent")
    func tooLong() throws {
        var fits = MessageBuilder(type: 1)
        fits.attribute(1, bytes: [UInt8](repeating: 0, count: 65_531))
        var tooLong = MessageBuilder(type: 1)
        tooLong.attribute(1, bytes: [UInt8](repeating: 0, count: 65_532))
        tooLong.attribute(2, uint32: 1)

        #expect(try fits.encoded().count == 16 + 65_536)
        #expect(throws: Errno.messageTooLong) { try tooLong.encoded() }
    }

    @Test("a text with a NUL is refused, since the kernel would read less than was meant")
    func embeddedNUL() {
        var message = MessageBuilder(type: 1)
        message.attribute(1, string: "lo\0x")

        #expect(throws: Errno.invalidArgument) { try message.encoded() }
    }

    @Test("a body that replaces the builder it was lent is no crash", arguments: 0..<24)
    func replacedBuilder(_ extra: Int) {
        var message = MessageBuilder(type: 1)
        message.nest(1) { nested in
            nested = MessageBuilder(type: 2)
            nested.attribute(1, bytes: [UInt8](repeating: 0, count: extra))
        }

        _ = try? message.encoded()
    }
}

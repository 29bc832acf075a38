// SPDX-License-Identifier: Apache-2.0
import Netlink
import Testing

@Suite("Reading generic netlink")
struct GenericFamilyTests {
    /// CTRL_CMD_NEWFAMILY for “netdev”, with two commands and one group.
    static let netdev = hex(
        """
        01 02 00 00  # struct genlmsghdr: CTRL_CMD_NEWFAMILY, version 2
        0b 00 02 00  # CTRL_ATTR_FAMILY_NAME
        6e 65 74 64
        65 76 00 00
        06 00 01 00  # CTRL_ATTR_FAMILY_ID
        14 00 00 00  # 20
        08 00 03 00  # CTRL_ATTR_VERSION
        01 00 00 00
        2c 00 06 00  # CTRL_ATTR_OPS
        14 00 01 00  # the first
        08 00 01 00  # CTRL_ATTR_OP_ID
        01 00 00 00
        08 00 02 00  # CTRL_ATTR_OP_FLAGS
        0e 00 00 00
        14 00 02 00  # the second
        08 00 01 00
        05 00 00 00
        08 00 02 00
        0b 00 00 00
        1c 00 07 00  # CTRL_ATTR_MCAST_GROUPS
        18 00 01 00  # the first
        08 00 02 00  # CTRL_ATTR_MCAST_GRP_ID
        06 00 00 00
        09 00 01 00  # CTRL_ATTR_MCAST_GRP_NAME
        6d 67 6d 74
        00 00 00 00
        """)

    static let message = NetlinkMessage(type: 16, flags: 0, sequence: 1, port: 1, payload: netdev)

    @Test("number, version, commands and groups of a family are read")
    func family() throws {
        let message = try #require(GenericMessage(Self.message))
        let family = try #require(GenericFamily(message.attributes))

        #expect(message.command == 1 && message.version == 2 && message.family == 16)
        #expect(family.name == "netdev" && family.id == 20 && family.version == 1)
        #expect(family.operations.map(\.command) == [1, 5] && family.operations.map(\.flags) == [14, 11])
        #expect(family.multicastGroups == ["mgmt": 6])
    }

    @Test("a family without number or name is none, and a message without header neither")
    func incomplete() {
        let short = NetlinkMessage(type: 16, flags: 0, sequence: 1, port: 1, payload: [1, 2, 0])

        #expect(GenericMessage(short) == nil)
        #expect(GenericFamily(Attributes(hex("06 00 01 00 14 00 00 00")[...])) == nil)
        #expect(GenericFamily(Attributes([])) == nil)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Netlink

@Suite("Reading ethtool's answers")
struct EthtoolTests {
    /// ETHTOOL_MSG_FEATURES_GET_REPLY of a veth, as Linux 6.18 writes it, with five of its 64 bits.
    static let features = hex(
        """
        0b 01 00 00  # struct genlmsghdr: ETHTOOL_MSG_FEATURES_GET_REPLY, version 1
        14 00 01 80  # ETHTOOL_A_FEATURES_HEADER
        08 00 01 00  # ETHTOOL_A_HEADER_DEV_INDEX
        03 00 00 00
        07 00 02 00  # ETHTOOL_A_HEADER_DEV_NAME
        76 61 00 00
        84 00 02 80  # ETHTOOL_A_FEATURES_HW
        08 00 02 00  # ETHTOOL_A_BITSET_SIZE
        40 00 00 00
        78 00 03 80  # ETHTOOL_A_BITSET_BITS
        1c 00 01 80  # ETHTOOL_A_BITSET_BITS_BIT
        08 00 01 00  # ETHTOOL_A_BITSET_BIT_INDEX
        0e 00 00 00
        0b 00 02 00  # ETHTOOL_A_BITSET_BIT_NAME
        72 78 2d 67  # rx-gro
        72 6f 00 00
        04 00 03 00  # ETHTOOL_A_BITSET_BIT_VALUE: it can be switched
        18 00 01 80
        08 00 01 00
        0f 00 00 00
        0b 00 02 00
        72 78 2d 6c  # rx-lro: it cannot
        72 6f 00 00
        28 00 01 80
        08 00 01 00
        10 00 00 00
        18 00 02 00
        74 78 2d 74  # tx-tcp-segmentation
        63 70 2d 73
        65 67 6d 65
        6e 74 61 74
        69 6f 6e 00
        04 00 03 00
        18 00 01 80
        08 00 01 00
        05 00 00 00
        0c 00 02 00
        68 69 67 68  # highdma
        64 6d 61 00
        54 00 04 80  # ETHTOOL_A_FEATURES_ACTIVE
        04 00 01 00  # ETHTOOL_A_BITSET_NOMASK: only those that are on
        08 00 02 00
        40 00 00 00
        44 00 03 80
        24 00 01 80
        08 00 01 00
        10 00 00 00
        18 00 02 00
        74 78 2d 74
        63 70 2d 73
        65 67 6d 65
        6e 74 61 74
        69 6f 6e 00
        1c 00 01 80
        08 00 01 00
        2a 00 00 00
        0d 00 02 00
        6c 6f 6f 70  # loopback
        62 61 63 6b
        00 00 00 00
        """)

    /// ETHTOOL_MSG_CHANNELS_GET_REPLY of a veth with one queue on a machine with two processors.
    static let channels = hex(
        """
        12 01 00 00
        14 00 01 80
        08 00 01 00
        03 00 00 00
        07 00 02 00
        76 61 00 00
        08 00 02 00  # ETHTOOL_A_CHANNELS_RX_MAX
        02 00 00 00
        08 00 06 00  # ETHTOOL_A_CHANNELS_RX_COUNT
        01 00 00 00
        08 00 03 00  # ETHTOOL_A_CHANNELS_TX_MAX
        02 00 00 00
        08 00 07 00  # ETHTOOL_A_CHANNELS_TX_COUNT
        01 00 00 00
        """)

    private static func attributes(_ payload: [UInt8]) throws -> Attributes {
        let message = NetlinkMessage(type: 21, flags: 0, sequence: 1, port: 1, payload: payload)
        return try #require(GenericMessage(message)).attributes
    }

    @Test("an offload is on, off, or nothing that the driver knows")
    func offloads() throws {
        let offloads = Offloads(try Self.attributes(Self.features))

        #expect(offloads["rx-gro"] == false)
        #expect(offloads["tx-tcp-segmentation"] == true)
        #expect(offloads["loopback"] == true)
        #expect(offloads["rx-lro"] == nil && offloads["highdma"] == nil && offloads["no-such"] == nil)
    }

    @Test("queues that there cannot be are 0")
    func channels() throws {
        let channels = Channels(try Self.attributes(Self.channels))

        #expect(channels.receive == 1 && channels.maximumReceive == 2)
        #expect(channels.transmit == 1 && channels.maximumTransmit == 2)
        #expect(channels.combined == 0 && channels.maximumCombined == 0)
    }

    @Test("the sizes of the rings are read")
    func rings() {
        let bytes = hex(
            """
            08 00 02 00  # ETHTOOL_A_RINGS_RX_MAX
            00 02 00 00
            08 00 06 00  # ETHTOOL_A_RINGS_RX
            00 01 00 00
            08 00 05 00  # ETHTOOL_A_RINGS_TX_MAX
            00 04 00 00
            08 00 09 00  # ETHTOOL_A_RINGS_TX
            80 00 00 00
            """)

        let rings = Rings(Attributes(bytes[...]))

        #expect(rings.receive == 256 && rings.maximumReceive == 512)
        #expect(rings.transmit == 128 && rings.maximumTransmit == 1024)
    }

    @Test("a message cut off anywhere is read as far as it is whole")
    func truncated() throws {
        for length in 4..<Self.features.count {
            let offloads = Offloads(try Self.attributes(Array(Self.features.prefix(length))))

            #expect(offloads.active.isEmpty && offloads.switchable.count <= 3)
        }
    }

    @Test("the number of a namespace is read, and none that was not given")
    func namespaceID() {
        func message(_ id: String) -> NetlinkMessage {
            NetlinkMessage(
                type: 88, flags: 0, sequence: 1, port: 1, payload: hex("00 00 00 00 08 00 01 00 \(id)"))
        }

        #expect(RouteSocket.namespaceID(in: [message("07 00 00 00")]) == 7)
        #expect(RouteSocket.namespaceID(in: [message("ff ff ff ff")]) == nil)
        #expect(RouteSocket.namespaceID(in: []) == nil)
    }
}

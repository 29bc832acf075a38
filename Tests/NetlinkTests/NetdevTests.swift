// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Netlink

@Suite("Reading what drivers can do")
struct NetdevTests {
    /// NETDEV_CMD_DEV_GET of a veth whose peer has neither a program nor GRO, as Linux 6.18 answers.
    static let veth = hex(
        """
        01 01 00 00  # struct genlmsghdr: NETDEV_CMD_DEV_GET, version 1
        08 00 01 00  # NETDEV_A_DEV_IFINDEX
        03 00 00 00
        0c 00 03 00  # NETDEV_A_DEV_XDP_FEATURES
        23 00 00 00  # basic, redirect, rx-sg
        00 00 00 00
        0c 00 05 00  # NETDEV_A_DEV_XDP_RX_METADATA_FEATURES
        07 00 00 00  # timestamp, hash, vlan-tag
        00 00 00 00
        0c 00 06 00  # NETDEV_A_DEV_XSK_FEATURES
        00 00 00 00
        00 00 00 00
        """)

    private static func message(_ payload: [UInt8]) -> GenericMessage? {
        GenericMessage(NetlinkMessage(type: 20, flags: 0, sequence: 1, port: 1, payload: payload))
    }

    private static func device(_ payload: [UInt8]) throws -> NetdevDevice {
        let message = try #require(Self.message(payload))
        return try #require(NetdevDevice(message.attributes))
    }

    @Test("a veth's features are read bit by bit")
    func features() throws {
        let device = try Self.device(Self.veth)

        #expect(device.index == 3)
        #expect(device.features == [.basic, .redirect, .receiveFragments])
        #expect(device.zeroCopySegments == nil)
        #expect(device.receiveMetadata == [.timestamp, .hash, .vlanTag])
        #expect(device.transmitMetadata == [])
    }

    @Test("a card with zero copy tells how many buffers a packet may have")
    func zeroCopy() throws {
        let card =
            Self.veth.prefix(24) + hex("08 00 04 00 11 00 00 00") + Self.veth.dropFirst(24)

        let device = try Self.device(Array(card))

        #expect(device.zeroCopySegments == 17 && device.receiveMetadata?.contains(.hash) == true)
    }

    @Test("what an older kernel leaves out is nil, and no empty set")
    func older() throws {
        let device = try Self.device(Array(Self.veth.prefix(24)))

        #expect(device.features == [.basic, .redirect, .receiveFragments])
        #expect(device.receiveMetadata == nil && device.transmitMetadata == nil)
    }

    @Test("a message cut off anywhere is a device of what is whole, or none", arguments: 0...48)
    func truncated(_ length: Int) {
        let device = Self.message(Array(Self.veth.prefix(length))).flatMap { NetdevDevice($0.attributes) }

        #expect((device != nil) == (length >= 12))
        #expect((device?.features != nil) == (length >= 24))
    }

    @Test("notifications tell new, changed and gone apart; an answer is none")
    func events() throws {
        let device = try Self.device(Self.veth)
        func event(_ command: UInt8) -> NetdevEvent? {
            var payload = Self.veth
            payload[0] = command
            return Self.message(payload).flatMap { NetdevEvent($0) }
        }

        #expect(event(1) == nil)
        #expect(event(2) == .added(device))
        #expect(event(3) == .deleted(device))
        #expect(event(4) == .changed(device))
        #expect(event(5) == nil)
    }

    @Test("an interface with index 0 is none")
    func noIndex() {
        #expect(NetdevDevice(Attributes(hex("08 00 01 00 00 00 00 00")[...])) == nil)
    }
}

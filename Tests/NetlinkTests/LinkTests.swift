// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Netlink

@Suite("Reading interfaces")
struct LinkTests {
    /// A veth whose peer is in another namespace, with an XDP program in the driver; as RTM_NEWLINK.
    static let veth = hex(
        """
        00 00 01 00  # struct ifinfomsg: family, padding, ARPHRD_ETHER
        04 00 00 00  # index 4
        43 10 01 00  # IFF_UP, BROADCAST, RUNNING, MULTICAST, LOWER_UP
        00 00 00 00  # no flag changed
        0a 00 03 00  # IFLA_IFNAME
        76 65 74 68  # veth0
        30 00 00 00
        05 00 10 00  # IFLA_OPERSTATE
        06 00 00 00  # up
        08 00 04 00  # IFLA_MTU
        dc 05 00 00  # 1500
        08 00 33 00  # IFLA_MAX_MTU
        ff ff 00 00  # 65535
        08 00 0a 00  # IFLA_MASTER
        09 00 00 00
        0a 00 01 00  # IFLA_ADDRESS
        02 00 00 00
        00 01 00 00
        08 00 05 00  # IFLA_LINK
        02 00 00 00
        08 00 25 00  # IFLA_LINK_NETNSID
        00 00 00 00
        08 00 1f 00  # IFLA_NUM_TX_QUEUES
        02 00 00 00
        08 00 20 00  # IFLA_NUM_RX_QUEUES
        04 00 00 00
        10 00 12 00  # IFLA_LINKINFO, without the nested flag as older kernels write it
        09 00 01 00  # IFLA_INFO_KIND
        76 65 74 68
        00 00 00 00
        14 00 34 80  # IFLA_PROP_LIST
        07 00 35 00  # IFLA_ALT_IFNAME
        61 62 00 00  # ab
        07 00 35 00
        63 64 00 00  # cd
        1c 00 2b 80  # IFLA_XDP
        05 00 02 00  # IFLA_XDP_ATTACHED
        01 00 00 00  # XDP_ATTACHED_DRV
        08 00 04 00  # IFLA_XDP_PROG_ID
        2a 00 00 00
        08 00 05 00  # IFLA_XDP_DRV_PROG_ID
        2a 00 00 00
        """)

    static func message(_ payload: [UInt8], type: Int = 16) -> NetlinkMessage {
        NetlinkMessage(type: type, flags: 0, sequence: 1, port: 1, payload: payload)
    }

    @Test("every field of an interface is read from its attribute")
    func fields() throws {
        let link = try #require(Link(Self.message(Self.veth)))

        #expect(link.index == 4 && link.name == "veth0" && link.hardwareType == 1)
        #expect(link.isUp && link.isRunning && !link.flags.contains(.loopback))
        #expect(link.operationalState == .up)
        #expect(link.mtu == 1500 && link.maximumMTU == 65535)
        #expect(link.masterIndex == 9)
        #expect(link.hardwareAddress?.description == "02:00:00:00:00:01")
        #expect(link.peerIndex == 2 && link.peerNamespaceID == 0)
        #expect(link.transmitQueues == 2 && link.receiveQueues == 4)
        #expect(link.kind == "veth")
        #expect(link.alternativeNames == ["ab", "cd"])
        #expect(link.xdp == XDPAttachment(mode: .native, programID: 42))
        #expect(link.subject == "interface veth0 (index 4)")
    }

    @Test("a message cut off anywhere is an interface of what is whole, or none, and never a crash")
    func truncated() {
        // The header takes 16 bytes, the name without its padding 10.
        for length in 0..<Self.veth.count {
            let link = Link(Self.message(Array(Self.veth.prefix(length))))

            #expect((link != nil) == (length >= 26))
        }
    }

    @Test("bridging's own messages about a port are not about the interface")
    func bridgeFamily() {
        var payload = Self.veth
        payload[0] = 7

        #expect(Link(Self.message(payload)) == nil)
        #expect(LinkEvent(Self.message(payload, type: 17)) == nil)
    }

    @Test("an interface without index is none, and neither is a message of another type")
    func noInterface() {
        var payload = Self.veth
        payload.replaceSubrange(4..<8, with: [0, 0, 0, 0])

        #expect(Link(Self.message(payload)) == nil)
        #expect(Link(Self.message(Self.veth, type: 20)) == nil)
    }

    @Test("a notification tells new, changed and gone apart")
    func events() throws {
        let link = try #require(Link(Self.message(Self.veth)))
        var new = Self.veth
        new.replaceSubrange(12..<16, with: [255, 255, 255, 255])

        #expect(LinkEvent(Self.message(new)) == .added(link))
        #expect(LinkEvent(Self.message(Self.veth)) == .changed(link))
        #expect(LinkEvent(Self.message(Self.veth, type: 17)) == .deleted(link))
    }

    @Test(
        "programs are read per mode",
        arguments: [
            ("05 00 02 00 00 00 00 00", []),
            ("", []),
            (
                "05 00 02 00 02 00 00 00 08 00 04 00 07 00 00 00",
                [XDPAttachment(mode: .generic, programID: 7)]
            ),
            (
                "05 00 02 00 03 00 00 00 08 00 04 00 07 00 00 00",
                [XDPAttachment(mode: .offload, programID: 7)]
            ),
            (
                "05 00 02 00 04 00 00 00 08 00 07 00 09 00 00 00 08 00 05 00 08 00 00 00",
                [
                    XDPAttachment(mode: .native, programID: 8),
                    XDPAttachment(mode: .offload, programID: 9),
                ]
            ),
            ("05 00 02 00 04 00 00 00 08 00 04 00 07 00 00 00", []),
            ("05 00 02 00 09 00 00 00 08 00 04 00 07 00 00 00", []),
            ("04 00 02 00 06 00 05 00 01 00 00 00", []),
        ])
    func attachments(_ dump: String, _ expected: [XDPAttachment]) {
        #expect(XDPAttachment.attachments(in: Attributes(hex(dump)[...])) == expected)
    }

    @Test("a state that nobody has heard of is unknown")
    func unknownState() {
        var payload = Self.veth
        payload[32] = 99

        #expect(Link(Self.message(payload))?.operationalState == .unknown)
    }
}

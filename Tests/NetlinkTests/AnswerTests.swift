// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Netlink

@Suite("Reading lists of sockets and routes")
struct AnswerTests {
    /// SOCK_DIAG_BY_FAMILY of an AF_XDP socket that is bound to queue 2 of interface 7.
    static let socket = hex(
        """
        2c 03 00 00  # struct xdp_diag_msg: AF_XDP, SOCK_RAW
        67 12 00 00  # inode
        01 00 00 00 00 00 00 00
        0c 00 01 00  # XDP_DIAG_INFO
        07 00 00 00 02 00 00 00
        34 00 09 00  # XDP_DIAG_STATS
        05 00 00 00 00 00 00 00  # dropped
        00 00 00 00 00 00 00 00
        03 00 00 00 00 00 00 00  # its ring was full
        04 00 00 00 00 00 00 00  # no buffer
        00 00 00 00 00 00 00 00
        00 00 00 00 00 00 00 00
        """)

    /// RTM_NEWROUTE by a gateway.
    static let route = hex(
        """
        02 20 00 00 fe 00 00 01 00 02 00 00  # struct rtmsg: AF_INET, /32, RTN_UNICAST
        08 00 01 00  # RTA_DST
        c6 33 64 01
        08 00 04 00  # RTA_OIF
        03 00 00 00
        08 00 05 00  # RTA_GATEWAY
        c0 00 02 01
        """)

    private static func message(_ type: Int, _ payload: some Collection<UInt8>) -> NetlinkMessage {
        NetlinkMessage(type: type, flags: 0, sequence: 1, port: 1, payload: Array(payload))
    }

    @Test("an AF_XDP socket is read, with what it lost")
    func sockets() throws {
        let found = try #require(XDPSocketInformation(Self.message(20, Self.socket)))
        #expect(found.inode == 0x1267 && found.interface == 7 && found.queue == 2)
        #expect(found.dropped == 5 && found.receiveFull == 3 && found.fillEmpty == 4)
        // One that is not bound has no such attribute.
        #expect(XDPSocketInformation(Self.message(20, Self.socket.prefix(16)))?.interface == 0)
        #expect(XDPSocketInformation(Self.message(16, Self.socket)) == nil)
        var other = Self.socket
        other[0] = 17
        #expect(XDPSocketInformation(Self.message(20, other)) == nil)
    }

    @Test("a route is read, with its gateway")
    func routes() throws {
        let found = try #require(Route(Self.message(24, Self.route)))
        #expect(found.interface == 3 && !found.isLocal)
        #expect(found.gateway == IPAddress(bytes: [192, 0, 2, 1]))
        #expect(Route(Self.message(25, Self.route)) == nil)
        #expect(Route(Self.message(24, Self.route.prefix(20))) == nil, "no interface")
        #expect(Route(Self.message(24, Self.route.prefix(28)))?.gateway == nil)
    }

    @Test("what is cut short is read as far as it goes, or not at all")
    func cutShort() {
        for length in 0..<Self.socket.count {
            let found = XDPSocketInformation(Self.message(20, Self.socket.prefix(length)))
            #expect((found == nil) == (length < 16))
            // An attribute counts when all of it is there.
            if let found {
                #expect(found.inode == 0x1267)
                #expect(found.interface == (length < 28 ? 0 : 7))
                #expect(found.dropped == (length < 80 ? 0 : 5))
            }
        }
        for length in 0..<Self.route.count {
            let found = Route(Self.message(24, Self.route.prefix(length)))
            #expect((found == nil) == (length < 28))
            #expect(found?.gateway == nil)
        }
        for length in 0..<80 {
            let bytes = [UInt8](repeating: 1, count: length)
            #expect(LinkStatistics(bytes[...]).values.count == length / 8)
        }
    }
}

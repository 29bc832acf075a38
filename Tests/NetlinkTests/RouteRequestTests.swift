// SPDX-License-Identifier: Apache-2.0
import Netlink
import Synchronization
import SystemPackage
import Testing

/// What is sent to the kernel, byte by byte. An observer in the door takes it and refuses it, so nothing is changed.
@Suite("Requests to rtnetlink")
struct RouteRequestTests {
    @Test("attaching natively where nothing may be attached yet")
    func attach() throws {
        let request = try first { route throws(NetlinkError) in
            try route.attachXDP(5, to: 4, mode: .native, expecting: .nothing)
        }

        #expect(
            request
                == dump(
                    hex(
                        """
                        34 00 00 00  # length 52
                        13 00 05 00  # RTM_SETLINK, NLM_F_REQUEST and NLM_F_ACK
                        01 00 00 00  # sequence 1
                        00 00 00 00
                        00 00 00 00  # struct ifinfomsg
                        04 00 00 00  # index 4
                        00 00 00 00
                        00 00 00 00
                        14 00 2b 80  # IFLA_XDP, nested
                        08 00 01 00  # IFLA_XDP_FD
                        05 00 00 00
                        08 00 03 00  # IFLA_XDP_FLAGS
                        05 00 00 00  # DRV_MODE and UPDATE_IF_NOEXIST
                        """)))
    }

    @Test("replacing one program by another, generically")
    func replace() throws {
        let request = try first { route throws(NetlinkError) in
            try route.attachXDP(5, to: 4, mode: .generic, expecting: .program(6))
        }

        #expect(
            request.suffix(7)
                == dump(
                    hex(
                        """
                        1c 00 2b 80  # IFLA_XDP, nested
                        08 00 01 00  # IFLA_XDP_FD
                        05 00 00 00
                        08 00 03 00  # IFLA_XDP_FLAGS
                        12 00 00 00  # SKB_MODE and REPLACE
                        08 00 08 00  # IFLA_XDP_EXPECTED_FD
                        06 00 00 00
                        """))[...])
    }

    @Test("detaching whatever is attached")
    func detach() throws {
        let request = try first { route throws(NetlinkError) in
            try route.detachXDP(from: 4, mode: .unspecified, expecting: .anything)
        }

        #expect(
            request.suffix(5)
                == dump(
                    hex(
                        """
                        14 00 2b 80
                        08 00 01 00
                        ff ff ff ff  # no program
                        08 00 03 00
                        00 00 00 00
                        """))[...])
    }

    @Test("creating a veth pair across two namespaces")
    func createVeth() throws {
        let near = try #require(HardwareAddress(parsing: "02:00:00:00:00:01"))

        let request = try first { route throws(NetlinkError) in
            try route.createVeth("v0", peer: "v1", peerNamespace: 7, mtu: 1500, hardwareAddress: near)
        }

        #expect(
            request
                == dump(
                    hex(
                        """
                        7c 00 00 00  # length 124
                        10 00 05 06  # RTM_NEWLINK; NLM_F_CREATE and NLM_F_EXCL beside
                        01 00 00 00
                        00 00 00 00
                        00 00 00 00  # struct ifinfomsg: the kernel gives an index
                        00 00 00 00
                        00 00 00 00
                        00 00 00 00
                        07 00 03 00  # IFLA_IFNAME
                        76 30 00 00
                        08 00 04 00  # IFLA_MTU
                        dc 05 00 00
                        0a 00 01 00  # IFLA_ADDRESS
                        02 00 00 00
                        00 01 00 00
                        40 00 12 80  # IFLA_LINKINFO
                        09 00 01 00  # IFLA_INFO_KIND
                        76 65 74 68
                        00 00 00 00
                        30 00 02 80  # IFLA_INFO_DATA
                        2c 00 01 80  # VETH_INFO_PEER
                        00 00 00 00  # struct ifinfomsg of the far end
                        00 00 00 00
                        00 00 00 00
                        00 00 00 00
                        07 00 03 00  # IFLA_IFNAME
                        76 31 00 00
                        08 00 04 00  # IFLA_MTU
                        dc 05 00 00
                        08 00 1c 00  # IFLA_NET_NS_FD
                        07 00 00 00
                        00 00 00 00
                        """
                    ).dropLast(4)))
    }

    @Test("an address without duplicate detection")
    func addAddress() throws {
        let address = try #require(IPAddress(parsing: "2001:db8::1"))

        let request = try first { route throws(NetlinkError) in
            try route.addAddress(address, prefixLength: 64, to: 4, skippingDuplicateDetection: true)
        }

        #expect(
            request
                == dump(
                    hex(
                        """
                        48 00 00 00  # length 72
                        14 00 05 06  # RTM_NEWADDR
                        01 00 00 00
                        00 00 00 00
                        0a 40 00 00  # AF_INET6, /64
                        04 00 00 00  # index 4
                        14 00 02 00  # IFA_LOCAL
                        20 01 0d b8
                        00 00 00 00
                        00 00 00 00
                        00 00 00 01
                        14 00 01 00  # IFA_ADDRESS
                        20 01 0d b8
                        00 00 00 00
                        00 00 00 00
                        00 00 00 01
                        08 00 08 00  # IFA_FLAGS
                        02 00 00 00  # IFA_F_NODAD
                        """)))
    }

    @Test("the list of interfaces is asked for without statistics")
    func links() throws {
        let request = try first { route throws(NetlinkError) in _ = try route.links() }

        #expect(
            request
                == dump(
                    hex(
                        """
                        28 00 00 00  # length 40
                        12 00 01 03  # RTM_GETLINK, NLM_F_REQUEST and NLM_F_DUMP
                        01 00 00 00
                        00 00 00 00
                        00 00 00 00  # struct ifinfomsg
                        00 00 00 00
                        00 00 00 00
                        00 00 00 00
                        08 00 1d 00  # IFLA_EXT_MASK
                        08 00 00 00  # RTEXT_FILTER_SKIP_STATS
                        """)))
    }

    @Test("a name that fits is looked for as a name, a longer one as an alternative name")
    func names() throws {
        let short = try first { route throws(NetlinkError) in _ = try route.link(named: "fifteen-bytes-x") }
        let long = try first { route throws(NetlinkError) in _ = try route.link(named: "sixteen-bytes-xy") }

        #expect(short[8] == "14 00 03 00" && long[8] == "15 00 35 00")
    }

    @Test("setting up says which flag is meant")
    func setUp() throws {
        let request = try first { route throws(NetlinkError) in try route.setUp(4) }

        #expect(request.suffix(2) == ["01 00 00 00", "01 00 00 00"])
    }

    /// The first request that `body` sends, as a dump.
    private func first(
        _ body: (inout RouteSocket) throws(NetlinkError) -> Void
    ) throws -> [String] {
        var route = try RouteSocket()
        let sent = Recorder()
        #expect(throws: NetlinkError.self) {
            try NetlinkDoor.withObserver(sent.take) { try body(&route) }
        }
        return dump(try #require(sent.first))
    }
}

/// Keeps the first message and refuses all.
private final class Recorder: Sendable {
    private let message = Mutex<[UInt8]?>(nil)

    var first: [UInt8]? { message.withLock { $0 } }

    func take(_ passage: NetlinkDoor.Passage) -> Errno? {
        if case .request(_, _, _, let bytes) = passage {
            message.withLock { $0 = $0 ?? bytes }
        }
        return .ioError
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import SystemPackage
import Testing

/// What the real kernel refuses, and how it is told. Needs root.
@Suite("Errors of rtnetlink on the kernel")
struct NetlinkErrorTests {
    @Test("an MTU beyond the driver's limit is refused in the kernel's own words, with name and index")
    func largeMTU() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index

        let error = failure { () throws(NetlinkError) in try route.setMTU(200_000, of: index) }

        #expect(error?.errno == .invalidArgument)
        #expect(error?.subject == "interface near (index \(index))")
        #expect(error?.kernelMessage == "mtu greater than device maximum")
        #expect(
            error?.description == """
                cannot set the MTU to 200000 bytes: interface near (index \(index)): \
                Invalid argument: mtu greater than device maximum
                """)
    }

    @Test("a name that is not there is told by name", arguments: ["nobody", "nobody-with-a-long-name"])
    func unknownName(_ name: String) throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)

        let error = failure { () throws(NetlinkError) in _ = try route.link(named: name) }

        #expect(error?.errno == Errno(rawValue: ENODEV))
        #expect(error?.subject == "interface \(name)")
    }

    @Test("an index that is not there is told by index")
    func unknownIndex() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)

        let found = failure { () throws(NetlinkError) in _ = try route.link(index: 77) }
        let changed = failure { () throws(NetlinkError) in try route.setUp(77) }

        #expect(found?.errno == Errno(rawValue: ENODEV) && changed?.errno == Errno(rawValue: ENODEV))
        #expect(changed?.subject == "interface with index 77")
    }

    @Test("a taken name is refused")
    func takenName() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        try route.createVeth("near", peer: "far")

        let error = failure { () throws(NetlinkError) in try route.createVeth("near", peer: "other") }

        #expect(error?.errno == .fileExists)
    }

    @Test("a name with a NUL is refused and not cut short")
    func nameWithNUL() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)

        let error = failure { () throws(NetlinkError) in _ = try route.link(named: "lo\0x") }

        #expect(error?.errno == .invalidArgument)
    }

    @Test("a descriptor that is no program is refused, natively and generically")
    func badProgram() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index

        for mode in [XDPMode.native, .generic, .unspecified] {
            let error = failure { () throws(NetlinkError) in
                try route.attachXDP(9999, to: index, mode: mode, expecting: .nothing)
            }
            #expect(error?.errno == .badFileDescriptor)
        }
    }

    @Test("detaching where nothing is attached is no error")
    func detachNothing() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index

        try route.detachXDP(from: index, mode: .native, expecting: .anything)
        try route.detachXDP(from: index, mode: .native, expecting: .nothing)

        #expect(try route.link(index: index).xdp == nil)
    }

    @Test("an error leaves the socket usable, and the next reply is that of the next request")
    func socketAfterError() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)

        for _ in 0..<10 {
            _ = failure { () throws(NetlinkError) in _ = try route.link(named: "nobody") }
            #expect(try route.link(named: "lo").name == "lo")
        }
    }

    @Test("an observer in the door sees a request and can refuse it; the kernel never gets it")
    func faultInjection() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index

        let error = failure { () throws(NetlinkError) in
            try NetlinkDoor.withObserver { passage in
                guard case .request(.route, let operation, _, _) = passage else { return nil }
                return operation == "rename to other" ? .ioError : nil
            } _: { () throws(NetlinkError) in
                try route.rename(index, to: "other")
            }
        }

        #expect(error?.errno == .ioError)
        #expect(error?.subject == "interface near (index \(index))")
        #expect(try route.link(index: index).name == "near")
    }

    @Test("an observer also sees the socket that is opened for its thread inside a namespace")
    func faultInjectionAtOpen() throws {
        let namespace = try NetworkNamespace.makePrivate()

        let error = failure { () throws(NetlinkError) in
            try NetlinkDoor.withObserver({ _ in .tooManyOpenFiles }) { () throws(NetlinkError) in
                _ = try RouteSocket(in: namespace)
            }
        }

        #expect(error?.errno == .tooManyOpenFiles)
        #expect(error?.subject == "route netlink socket")
    }
}

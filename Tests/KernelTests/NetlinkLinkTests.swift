// SPDX-License-Identifier: Apache-2.0
import Netlink
import SystemPackage
import Testing

/// Interfaces of the real kernel, each test in a private network namespace. Needs root.
@Suite("rtnetlink on the kernel")
struct NetlinkLinkTests {
    @Test("a new namespace has one interface, the loopback, which is down")
    func loopback() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)

        let links = try route.links()
        try namespace.bringLoopbackUp()

        #expect(links.map(\.name) == ["lo"])
        #expect(links.map(\.isUp) == [false])
        #expect(links.map(\.hardwareType) == [772])
        #expect(try route.link(index: 1).isUp)
    }

    @Test("a veth pair has the names, addresses, MTU and queues asked for")
    func createVeth() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let near = try #require(HardwareAddress(parsing: "02:00:00:00:00:01"))
        let far = try #require(HardwareAddress(parsing: "02:00:00:00:00:02"))

        let link = try route.createVeth(
            "near", peer: "far", mtu: 2000, hardwareAddress: near, peerHardwareAddress: far, queues: 2)
        let peer = try route.link(named: "far")

        #expect(link.name == "near" && link.kind == "veth" && link.mtu == 2000)
        #expect(link.hardwareAddress == near && peer.hardwareAddress == far)
        #expect(link.peerIndex == peer.index && peer.peerIndex == link.index)
        #expect(link.peerNamespaceID == nil)
        #expect(link.transmitQueues == 2 && peer.receiveQueues == 2 && peer.mtu == 2000)
        #expect(link.attachments.isEmpty && !link.isUp && link.hardwareType == 1)
        #expect(try route.links().count == 3)
    }

    @Test("the far end of a veth pair can be made in another namespace")
    func createVethAcross() throws {
        let left = try NetworkNamespace.makePrivate()
        let right = try NetworkNamespace.makePrivate()
        var leftRoute = try RouteSocket(in: left)
        var rightRoute = try RouteSocket(in: right)

        let near = try leftRoute.createVeth("v0", peer: "v0", peerNamespace: right.fileDescriptor)
        let far = try rightRoute.link(named: "v0")

        #expect(near.peerNamespaceID != nil)
        #expect(far.kind == "veth" && near.peerIndex == far.index)
        #expect(try leftRoute.links().map(\.name) == ["lo", "v0"])
    }

    @Test("both ends up make a pair that runs")
    func upAndDown() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let near = try route.createVeth("near", peer: "far").index
        let far = try route.link(named: "far").index

        try route.setUp(near)
        let alone = try route.link(index: near)
        // Older kernels look at the carrier a moment later.
        let waits = try eventually { try !route.link(index: near).isRunning }
        try route.setUp(far)
        let both = try route.link(index: near)
        try route.setDown(near)
        let down = try route.link(index: near)

        #expect(alone.isUp && waits)
        #expect(both.isUp && both.isRunning && both.operationalState == .up)
        #expect(!down.isUp && down.operationalState == .down)
    }

    @Test("MTU, name and hardware address change")
    func change() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("old", peer: "far").index
        let address = try #require(HardwareAddress(parsing: "02:00:00:00:00:aa"))

        try route.setMTU(3000, of: index)
        try route.rename(index, to: "new")
        try route.setHardwareAddress(address, of: index)

        let link = try route.link(index: index)
        #expect(link.mtu == 3000 && link.name == "new" && link.hardwareAddress == address)
        #expect(throws: NetlinkError.self) { try RouteSocket(in: namespace).missing("old") }
    }

    @Test("an alternative name longer than a name finds the interface")
    func alternativeName() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index

        try route.addAlternativeName("a-rather-long-alternative-name", to: index)
        try route.addAlternativeName("short", to: index)

        #expect(try route.link(named: "a-rather-long-alternative-name").index == index)
        #expect(try route.link(named: "short").name == "near")
        #expect(
            try Set(route.link(index: index).alternativeNames) == ["a-rather-long-alternative-name", "short"])
    }

    @Test("a moved interface is in the other namespace and no longer in the first")
    func move() throws {
        let here = try NetworkNamespace.makePrivate()
        let there = try NetworkNamespace.makePrivate()
        var hereRoute = try RouteSocket(in: here)
        var thereRoute = try RouteSocket(in: there)
        let index = try hereRoute.createVeth("near", peer: "far").index

        try hereRoute.move(index, to: there)

        #expect(try hereRoute.links().map(\.name).sorted() == ["far", "lo"])
        #expect(try thereRoute.link(named: "near").peerNamespaceID != nil)
    }

    @Test("deleting one end of a veth pair deletes both")
    func delete() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index

        try route.deleteLink(index)

        #expect(try route.links().map(\.name) == ["lo"])
    }

    @Test("an interface enters and leaves a bridge")
    func master() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let bridge = try route.createLink("bridge", kind: "bridge")
        let port = try route.createVeth("near", peer: "far").index

        try route.setMaster(bridge.index, of: port)
        let inside = try route.link(index: port)
        try route.setMaster(nil, of: port)
        let outside = try route.link(index: port)

        #expect(bridge.kind == "bridge")
        #expect(inside.masterIndex == bridge.index && outside.masterIndex == nil)
    }

    @Test("IPv4 and IPv6 addresses and a permanent neighbour are taken, and taken once")
    func addresses() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index
        let v6 = try #require(IPAddress(parsing: "2001:db8::1"))
        let neighbour = try #require(HardwareAddress(parsing: "02:00:00:00:00:02"))
        try route.setUp(index)

        try route.addAddress(IPAddress(192, 0, 2, 1), prefixLength: 24, to: index)
        try route.addAddress(v6, prefixLength: 64, to: index, skippingDuplicateDetection: true)
        try route.setPermanentNeighbour(IPAddress(192, 0, 2, 2), at: neighbour, on: index)

        let again = failure { () throws(NetlinkError) in
            try route.addAddress(v6, prefixLength: 64, to: index)
        }
        let tooLong = failure { () throws(NetlinkError) in
            try route.addAddress(IPAddress(192, 0, 2, 9), prefixLength: 33, to: index)
        }
        #expect(again?.errno == .fileExists)
        #expect(again?.operation == "add the address 2001:db8::1/64")
        #expect(tooLong?.errno == .invalidArgument)
    }

    @Test("a list of 301 interfaces comes in parts and is complete")
    func manyLinks() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        for number in 0..<150 {
            try route.createVeth("near\(number)", peer: "far\(number)")
        }

        let links = try route.links()

        let expected = (0..<150).flatMap { ["near\($0)", "far\($0)"] } + ["lo"]
        #expect(links.count == 301)
        #expect(Set(links.map(\.name)) == Set(expected))
    }
}

extension RouteSocket {
    /// Looks for a name; for expressions that must throw.
    consuming func missing(_ name: String) throws {
        _ = try link(named: name)
    }
}

/// The error that `body` throws, for a closer look.
func failure(_ body: () throws(NetlinkError) -> Void) -> NetlinkError? {
    do throws(NetlinkError) {
        try body()
        return nil
    } catch {
        return error
    }
}

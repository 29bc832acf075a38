// SPDX-License-Identifier: Apache-2.0
import Netlink
import SystemPackage
import Testing

/// Notifications and generic netlink of the real kernel. Needs root.
@Suite("Netlink notifications and generic netlink on the kernel")
struct NetlinkMonitorTests {
    @Test("creation, change and deletion of an interface are told in order")
    func lifeOfALink() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        var monitor = try LinkMonitor(in: namespace)

        let index = try route.createVeth("near", peer: "far").index
        try route.setMTU(1400, of: index)
        try route.rename(index, to: "renamed")
        try route.deleteLink(index)

        var events: [LinkEvent] = []
        while let event = try monitor.next(timeoutMilliseconds: 1000) {
            if event.link.index == index { events.append(event) }
            if case .deleted(let link) = event, link.index == index { break }
        }
        guard case .added(let added) = events.first else {
            Issue.record("first event: \(String(describing: events.first))")
            return
        }
        #expect(added.name == "near" && added.kind == "veth")
        #expect(events.contains { if case .changed(let link) = $0 { link.mtu == 1400 } else { false } })
        #expect(events.last?.link.name == "renamed")
    }

    @Test("without an event the wait ends with nothing, after its time")
    func timeout() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var monitor = try LinkMonitor(in: namespace)
        let clock = ContinuousClock()

        let start = clock.now
        let event = try monitor.next(timeoutMilliseconds: 50)

        #expect(event == nil)
        #expect(clock.now - start >= .milliseconds(45))
        #expect(try monitor.next(timeoutMilliseconds: 0) == nil)
    }

    @Test("a port that leaves its bridge is a change, not a deletion")
    func bridgePort() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let bridge = try route.createLink("bridge", kind: "bridge").index
        let port = try route.createVeth("near", peer: "far").index
        try route.setMaster(bridge, of: port)
        var monitor = try LinkMonitor(in: namespace)

        try route.setMaster(nil, of: port)

        var events: [LinkEvent] = []
        while let event = try monitor.next(timeoutMilliseconds: 100) { events.append(event) }
        #expect(events.contains { $0.link.index == port })
        #expect(!events.contains { if case .deleted = $0 { true } else { false } })
    }

    @Test("events that are not read in time are reported as lost, and the monitor goes on")
    func overrun() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let index = try route.createVeth("near", peer: "far").index
        var monitor = try LinkMonitor(in: namespace)

        for round in 0..<2000 { try route.setMTU(1000 + UInt32(round % 2), of: index) }
        var lost: NetlinkError?
        do throws(NetlinkError) {
            while try monitor.next(timeoutMilliseconds: 0) != nil {}
        } catch {
            lost = error
        }
        while try monitor.next(timeoutMilliseconds: 0) != nil {}
        try route.setMTU(1300, of: index)

        #expect(lost?.errno == .noBufferSpace)
        #expect(lost?.kernelMessage != nil)
        #expect(try monitor.next(timeoutMilliseconds: 1000)?.link.mtu == 1300)
    }

    @Test("the controller describes itself")
    func controller() throws {
        var generic = try GenericNetlink()

        let family = try generic.family(named: "nlctrl")

        #expect(family.id == 16 && family.name == "nlctrl")
        #expect(family.multicastGroups["notify"] != nil)
        #expect(family.operations.contains { $0.command == 3 })
    }

    @Test("a list of families is complete, and each can be found by name")
    func families() throws {
        let namespace = try NetworkNamespace.makePrivate()
        var generic = try GenericNetlink(in: namespace)

        let families = try generic.dump(16, command: 3, operation: "list the families", subject: "nlctrl")
            .compactMap { GenericFamily($0.attributes) }

        #expect(families.contains { $0.name == "nlctrl" })
        for family in families.prefix(5) {
            #expect(try generic.family(named: family.name).id == family.id)
        }
    }

    @Test("a family that this kernel has not is not found")
    func unknownFamily() throws {
        var generic = try GenericNetlink()

        let error = failure { () throws(NetlinkError) in _ = try generic.family(named: "no-such") }

        #expect(error?.errno == .noSuchFileOrDirectory)
        #expect(error?.subject == "family no-such")
    }

    @Test("sockets of one process have ports of their own")
    func ports() throws {
        let first = try NetlinkSocket(.route)
        let second = try NetlinkSocket(.route)

        #expect(first.port != second.port)
        #expect(first.port != 0)
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Glibc
import Netlink
import XDP

/// Takes samples of the interfaces of one network namespace: that of the thread that makes it.
///
/// Sockets are opened once. What a program is, and what a driver calls its counters, is read when it is new and remembered: a
/// sample costs some calls of a few microseconds, so that hundreds of interfaces can be looked at every second.
public struct InterfaceSampler: ~Copyable {
    private var sockets: Sockets
    private var known: [UInt32: KnownInterface] = [:]

    private struct Sockets: ~Copyable {
        var route: RouteSocket
        let driver: DriverCounters
        var netdev: NetdevSocket?
        var ethtool: EthtoolSocket?

        static func open() throws(XDPError) -> Sockets {
            do throws(NetlinkError) {
                let route = try RouteSocket()
                let driver = try DriverCounters()
                return Sockets(
                    route: route, driver: driver, netdev: try NetdevSocket.whereKnown(),
                    ethtool: try EthtoolSocket.whereKnown())
            } catch {
                throw XDPError(error, during: "Counters of interfaces cannot be read")
            }
        }
    }

    public init() throws(XDPError) {
        sockets = try Sockets.open()
    }

    /// What all sides have counted by now.
    ///
    /// Needs CAP_SYS_ADMIN where a program is attached. Throws where the interface is gone.
    public mutating func sample(_ interface: Interface) throws(XDPError) -> InterfaceSample {
        if let link = try link(interface.index, interface.name), let sample = try sample(link) {
            return sample
        }
        throw XDPError(
            .failed, "The counters of \(interface.name) cannot be read",
            because: "the interface is gone: deleted, or moved to another network namespace")
    }

    /// Samples of all interfaces of the namespace, by index. One that goes away meanwhile is left out.
    public mutating func sampleAll() throws(XDPError) -> [InterfaceSample] {
        let links: [Link]
        do throws(NetlinkError) {
            links = try sockets.route.links()
        } catch {
            throw XDPError(error, during: "The interfaces cannot be listed")
        }
        var samples: [InterfaceSample] = []
        for link in links {
            if let sample = try sample(link) { samples.append(sample) }
        }
        let indices = Set(links.map(\.index))
        known = known.filter { indices.contains($0.key) }
        return samples.sorted { $0.index < $1.index }
    }

    // MARK: - One interface

    /// nil if it is gone.
    private mutating func sample(_ found: Link) throws(XDPError) -> InterfaceSample? {
        var link = found
        var interface = known.removeValue(forKey: link.index)
        if interface?.name != link.name {
            interface = KnownInterface(
                name: link.name, driver: sockets.driver.driver(of: link.name) ?? "")
        }
        guard var interface else { return nil }
        // A program that was exchanged since the interface was looked at is gone by now.
        for _ in 0..<100 where try !interface.look(at: link.xdp?.programID) {
            guard let now = try self.link(link.index, link.name) else { return nil }
            link = now
        }
        interface.hasReceiveOffload = offload(of: link, interface)

        var sample = InterfaceSample(
            time: MonotonicTime.now(), interface: link.name, index: link.index, driver: interface.driver)
        sample.programID = link.xdp?.programID
        sample.mode = link.xdp.map { AttachMode($0.mode) }
        sample.hasReceiveOffload = interface.hasReceiveOffload ?? nil
        let first = try interface.chain?.counters()
        if let chain = interface.chain {
            sample.generation = chain.manifest.generation
            sample.counting = chain.manifest.chain.counters
            sample.fallback = chain.manifest.chain.fallback
            sample.members = first.map { interface.members(with: $0) }
        }
        do throws(NetlinkError) {
            let counted = try sockets.route.statistics(of: link.index)
            sample.stack = zip(LinkStatistics.names, counted.values).map { .init(name: $0, value: $1) }
            sample.driverCounters = try interface.driverCounters(sockets.driver)
            sample.queues = try queues(of: link.index, &interface)
        } catch {
            if error.errno.rawValue == Self.noSuchDevice { return nil }
            throw XDPError(error, during: "The counters of \(link.name) cannot be read")
        }
        if let first = first?.first, let again = try interface.chain?.counters()?.first {
            let (now, before) = (again.total.packets, first.total.packets)
            // A place that is given to another member begins anew.
            sample.uncertainty = now > before ? now - before : 0
        }
        known[link.index] = interface
        return sample
    }

    /// nil where there is none of that number.
    private mutating func link(_ index: UInt32, _ name: String) throws(XDPError) -> Link? {
        do throws(NetlinkError) {
            return try sockets.route.link(index: index)
        } catch {
            if error.errno.rawValue == Self.noSuchDevice { return nil }
            throw XDPError(error, during: "\(name) cannot be looked up")
        }
    }

    private mutating func queues(
        of index: UInt32, _ interface: inout KnownInterface
    ) throws(NetlinkError) -> [InterfaceSample.Queue] {
        guard interface.hasQueues else { return [] }
        guard let found = try sockets.netdev?.queueStatistics(of: index) else {
            interface.hasQueues = false
            return []
        }
        return found.map { queue in
            InterfaceSample.Queue(
                number: queue.queue, receives: queue.direction == .receive,
                counters: queue.values.map { .init(name: $0.name, value: $0.value) })
        }
    }

    /// Asked once for each program: a driver's settings change seldom.
    private mutating func offload(of link: Link, _ interface: KnownInterface) -> Bool?? {
        if let asked = interface.hasReceiveOffload { return asked }
        guard link.xdp != nil else { return .some(nil) }
        return .some((try? sockets.ethtool?.offloads(of: link.index))?["rx-gro"])
    }

    // MARK: -

    /// `ENODEV`
    private static let noSuchDevice: CInt = 19
}

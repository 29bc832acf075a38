// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import SystemPackage

extension InterfaceFeatures {
    /// Asks the kernel what an interface gives to XDP, without changing anything.
    ///
    /// Needs no rights; the other end of a veth in another network namespace is seen with CAP_NET_ADMIN there.
    public static func read(of interface: Interface) throws(XDPError) -> InterfaceFeatures {
        try FeatureReader.wrap("What \(interface.name) gives to XDP cannot be read") {
            () throws(NetlinkError) in
            var reader = try FeatureReader()
            return try reader.features(of: interface.index)
        }
    }

    /// As ``read(of:)``, of every interface of the calling thread's network namespace, by index.
    public static func all() throws(XDPError) -> [InterfaceFeatures] {
        try FeatureReader.wrap("What the interfaces give to XDP cannot be read") {
            () throws(NetlinkError) in
            var reader = try FeatureReader()
            return try reader.all()
        }
    }
}

/// Asks the kernel for all that is known of interfaces, over sockets that are opened once.
struct FeatureReader: ~Copyable {
    private var route: RouteSocket
    private var netdev: NetdevSocket?
    private var ethtool: EthtoolSocket?
    /// Other network namespaces by the number that this one has for them, once they were needed.
    private var namespaces: [Int32: FoundNamespace]?
    private var groReceives: Bool??
    private var hasNetdevFamily: Bool { netdev != nil }
    private let processors = max(sysconf(Int32(_SC_NPROCESSORS_CONF)), 1)

    /// Opens sockets in the calling thread's network namespace.
    init() throws(NetlinkError) {
        let route = try RouteSocket()
        let netdev = try NetdevSocket.whereKnown()
        let ethtool = try EthtoolSocket.whereKnown()
        self.route = route
        self.netdev = netdev
        self.ethtool = ethtool
    }

    /// All interfaces. One that goes while they are read is left out.
    mutating func all() throws(NetlinkError) -> [InterfaceFeatures] {
        namespaces = nil
        let links = try route.links()
        var found: [InterfaceFeatures] = []
        for link in links.sorted(by: { $0.index < $1.index }) {
            do throws(NetlinkError) {
                found.append(InterfaceFeatures(try facts(of: link, among: links)))
            } catch {
                if error.errno != .noSuchDevice { throw error }
            }
        }
        return found
    }

    mutating func features(of index: UInt32) throws(NetlinkError) -> InterfaceFeatures {
        InterfaceFeatures(try facts(of: index))
    }

    mutating func facts(of index: UInt32) throws(NetlinkError) -> InterfaceFacts {
        namespaces = nil
        let link = try route.link(index: index)
        // Only a bond's answer depends on others.
        return try facts(of: link, among: link.kind == "bond" ? try route.links() : [])
    }

    private mutating func facts(
        of link: Link, among links: [Link]
    ) throws(NetlinkError) -> InterfaceFacts {
        var facts = InterfaceFacts(link: link)
        facts.hasNetdevFamily = hasNetdevFamily
        facts.processors = processors
        facts.ports = links.count { $0.masterIndex == link.index }
        facts.netdev = try netdev?.device(link.index)
        facts.driver = try Self.optional { () throws(NetlinkError) in
            try DriverInformation(interface: link.name)
        }
        facts.offloads = try offloads(of: link.index)
        facts.channels = try channels(of: link.index)
        facts.rings = try rings(of: link.index)
        if link.kind == "veth" { try addPeer(to: &facts) }
        return facts
    }

    // MARK: - ethtool

    private mutating func offloads(of index: UInt32) throws(NetlinkError) -> Offloads? {
        do throws(NetlinkError) {
            return try ethtool?.offloads(of: index)
        } catch {
            return try Self.checked(error)
        }
    }

    private mutating func channels(of index: UInt32) throws(NetlinkError) -> Channels? {
        do throws(NetlinkError) {
            return try ethtool?.channels(of: index)
        } catch {
            return try Self.checked(error)
        }
    }

    private mutating func rings(of index: UInt32) throws(NetlinkError) -> Netlink.Rings? {
        do throws(NetlinkError) {
            return try ethtool?.rings(of: index)
        } catch {
            return try Self.checked(error)
        }
    }

    /// Nil for what a driver does not answer.
    private static func optional<Value>(
        _ body: () throws(NetlinkError) -> Value
    ) throws(NetlinkError) -> Value? {
        do throws(NetlinkError) {
            return try body()
        } catch {
            return try checked(error)
        }
    }

    private static func checked<Value>(_ error: NetlinkError) throws(NetlinkError) -> Value? {
        if error.errno == .noSuchDevice { throw error }
        return nil
    }

    // MARK: - The other end of a veth

    private mutating func addPeer(to facts: inout InterfaceFacts) throws(NetlinkError) {
        guard let index = facts.link.peerIndex else { return }
        guard let namespaceID = facts.link.peerNamespaceID else {
            // It may go while we look.
            guard let link = try? route.link(index: index) else { return }
            take(link, elsewhere: nil, into: &facts)
            facts.peer?.gro = (try? offloads(of: index)).flatMap { $0 }?["rx-gro"] ?? nil
            facts.peer?.transmitQueues = (try? channels(of: index)).flatMap { $0 }?.transmit
            addRuleOfGRO(to: &facts)
            return
        }
        guard let link = try? route.link(index: index, inNamespace: namespaceID) else { return }
        let namespace = found(namespaceID)
        take(link, elsewhere: namespace.map { $0.name ?? $0.path } ?? "", into: &facts)
        if let (gro, queues) = namespace.flatMap({ Self.settings(of: index, in: $0) }) {
            facts.peer?.gro = gro
            facts.peer?.transmitQueues = queues
        }
        addRuleOfGRO(to: &facts)
    }

    private func take(_ link: Link, elsewhere namespace: String?, into facts: inout InterfaceFacts) {
        facts.peer = InterfacePeer(
            name: link.name, index: link.index,
            namespace: namespace.flatMap { $0.isEmpty ? nil : $0 }, isElsewhere: namespace != nil,
            isUp: link.isUp, mtu: link.mtu,
            nativeProgramID: link.attachments.first { $0.mode == .native }?.programID)
        facts.peerMaximumMTU = link.maximumMTU
    }

    /// The namespace that this one has a number for, if it can be found by a name, a path or a process. They are
    /// looked for once for each question that this reader answers, since they come and go.
    private mutating func found(_ id: Int32) -> FoundNamespace? {
        if let namespaces { return namespaces[id] }
        var known: [Int32: FoundNamespace] = [:]
        for namespace in (try? NamespaceSearch())?.found ?? [] {
            guard let opened = try? NetworkNamespace(path: namespace.path),
                opened.identity == namespace.identity, let number = try? route.id(of: opened)
            else { continue }
            known[number] = known[number] ?? namespace
        }
        namespaces = known
        return known[id]
    }

    /// GRO and transmit queues of an interface of another namespace.
    private static func settings(of index: UInt32, in namespace: FoundNamespace) -> (Bool?, UInt32?)? {
        let answer: PeerSettings?? = try? namespace.run { () throws(NetlinkError) in
            var ethtool = try EthtoolSocket()
            return PeerSettings(
                gro: try ethtool.offloads(of: index)["rx-gro"],
                queues: (try? ethtool.channels(of: index))?.transmit)
        }
        return answer.flatMap { $0 }.map { ($0.gro, $0.queues) }
    }

    private struct PeerSettings: Sendable {
        var gro: Bool?
        var queues: UInt32?
    }

    /// Only where the kernel itself does not tell, and it matters.
    private mutating func addRuleOfGRO(to facts: inout InterfaceFacts) {
        guard !hasNetdevFamily, let peer = facts.peer, peer.gro == true, peer.nativeProgramID == nil else {
            return
        }
        let answer = groReceives ?? Self.findOutRuleOfGRO()
        groReceives = .some(answer)
        facts.groReceives = answer
    }

    /// The change that made GRO of a veth mean NAPI (Linux 5.13) also made it off by default. So a new pair, in a
    /// namespace that nobody sees, tells which it is; nil without the rights to make one.
    private static func findOutRuleOfGRO() -> Bool? {
        guard let namespace = try? NetworkNamespace.makePrivate(),
            var route = try? RouteSocket(in: namespace),
            let index = try? route.createVeth("near", peer: "far").index
        else { return nil }
        let isOn = try? namespace.run { () throws(NetlinkError) in
            var ethtool = try EthtoolSocket()
            return try ethtool.offloads(of: index)["rx-gro"] ?? false
        }
        return isOn.map { !$0 }
    }

    // MARK: - Errors

    static func wrap<Value>(
        _ what: String, _ body: () throws(NetlinkError) -> Value
    ) throws(XDPError) -> Value {
        do throws(NetlinkError) {
            return try body()
        } catch {
            throw XDPError(error, during: what)
        }
    }
}

extension Errno {
    /// ENODEV.
    static let noSuchDevice = Errno(rawValue: 19)
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Packets
import TestSupport
import XDP

/// A private network namespace with one interface for a chain: a veth pair, `near` with the chain and `far`
/// to send from. What it calls runs inside the namespace; the test's own thread stays outside.
///
/// With the bench its chains and their pins go.
final class ChainBench: Sendable {
    let namespace: NetworkNamespace
    /// The index of `near`.
    let index: UInt32
    let far: UInt32
    /// A third interface, on which packets run as soon as they are written.
    let tap: TAPDevice?
    /// What other processes call the namespace.
    var path: String { "/proc/\(getpid())/fd/\(namespace.fileDescriptor)" }

    init(mtu: UInt32? = nil, withTAP: Bool = false, blockingTAP: Bool = false) throws {
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        index = try route.createVeth("near", peer: "far", mtu: mtu).index
        far = try route.link(named: "far").index
        try namespace.run {
            for name in ["near", "far"] { Self.disableIPv6(name) }
        }
        try route.setUp(index)
        try route.setUp(far)
        tap = withTAP ? try namespace.run { try TAPDevice(name: "tap", isBlocking: blockingTAP) } : nil
        self.namespace = namespace
    }

    /// As a bench, with two cards that are wired to each other instead of a veth pair.
    ///
    /// They are down and called otherwise; with the bench they go back to where they came from.
    init(cards: EmulatedCards) throws {
        let namespace = try NetworkNamespace.makePrivate()
        var outside = try RouteSocket()
        for index in try cards.indices() {
            try outside.setDown(index)
            try outside.move(index, to: namespace)
        }
        var route = try RouteSocket(in: namespace)
        let moved = try route.links().filter { !$0.flags.contains(.loopback) }.map(\.index)
        // Whatever they were called, it may have been this.
        for index in moved { try route.rename(index, to: "card\(index)") }
        for (index, name) in zip(moved, ["near", "far"]) { try route.rename(index, to: name) }
        index = try route.link(named: "near").index
        far = try route.link(named: "far").index
        try namespace.run {
            for name in ["near", "far"] { Self.disableIPv6(name) }
        }
        try route.setUp(index)
        try route.setUp(far)
        tap = nil
        self.namespace = namespace
    }

    deinit { cleanUp(namespace) }

    static func disableIPv6(_ interface: String) {
        let file = open("/proc/sys/net/ipv6/conf/\(interface)/disable_ipv6", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "1", 1)
        close(file)
    }

    /// Works on the chain of `near`, inside the namespace.
    @discardableResult
    func edit<T: Sendable>(
        _ interface: String = "near", _ body: @Sendable (ChainEditor) throws(XDPError) -> T
    ) throws -> T {
        // What is tested with it shall happen, also where a check would refuse it: PreflightTests test the checks.
        try namespace.run {
            var editor = ChainEditor(try Interface(named: interface))
            editor.overridesChecks = true
            return try body(editor)
        }
    }

    /// Loads fixtures behind each other in one change.
    @discardableResult
    func loadAll(_ fixtures: String..., mode: ModeRequest? = nil) throws -> ChangeReport {
        let requests = try fixtures.map { LoadRequest(path: try Fixture.path($0)) }
        return try edit { editor throws(XDPError) in try editor.load(requests, mode: mode) }
    }

    /// Loads one fixture with settings.
    @discardableResult
    func load(
        _ fixture: String, as name: String? = nil, at position: Position? = nil,
        _ settings: @Sendable (inout LoadRequest) -> Void = { _ in }
    ) throws -> ChangeReport {
        var request = LoadRequest(path: try Fixture.path(fixture))
        request.name = name
        request.position = position
        settings(&request)
        return try edit { [request] editor throws(XDPError) in try editor.load([request]) }
    }

    /// The error of a change that must fail; nil if it did not.
    func failure(_ body: () throws -> some Any) -> XDPError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error as? XDPError
        }
    }

    /// What runs on an interface.
    func occupant(_ interface: String = "near") throws -> Occupant {
        try namespace.run { try Interface(named: interface).occupant() }
    }

    /// The chain that runs; throws where there is none.
    func chain(_ interface: String = "near") throws -> ActiveChain {
        guard case .chain(let active) = try occupant(interface) else { throw NoChain() }
        return active
    }

    func memberNames() throws -> [String] {
        guard case .chain(let active) = try occupant() else { return [] }
        return active.manifest.chain.members.map(\.name)
    }

    /// Sends packets from `far`.
    func send(_ packets: [Packet]) throws {
        try namespace.run { [far] in try PacketSocket(interface: far, role: .sender).send(packets) }
    }

    /// The verdict counters by member, once the first member has seen as many packets.
    func counters(seeing packets: UInt64) throws -> [String: MemberCounters] {
        let deadline = ContinuousClock.now + .seconds(5)
        while true {
            let active = try chain()
            let names = active.manifest.chain.members.map(\.name)
            let counters = try active.counters() ?? []
            if counters.first?.total.packets ?? 0 >= packets || ContinuousClock.now > deadline {
                return Dictionary(uniqueKeysWithValues: zip(names, counters))
            }
            usleep(1000)
        }
    }

    /// The packet for which the fixture `choose` gives a verdict.
    static func packet(for verdict: Verdict, length: Int = 60) -> Packet {
        .ethernet(to: Packet.MAC([2, 0, 0, 0, 0, UInt8(verdict.rawValue)])).ipv4().udp().padded(to: length)
    }
}

/// There was to be a chain.
struct NoChain: Error {}

/// Takes off whatever chains run in a namespace, with their pins.
func cleanUp(_ namespace: borrowing NetworkNamespace) {
    try? namespace.run {
        for interface in try Interface.all() {
            guard case .chain(let active) = try interface.occupant() else { continue }
            let pins = active.manifest.chain.members.flatMap(\.pins)
            for tap in active.manifest.chain.taps { _ = try? ChainEditor(interface).endTap(tap.name) }
            _ = try? ChainEditor(interface).unload(nil)
            for pin in pins { try? BPFFileSystem.unpin(pin.path) }
        }
    }
}

extension ActiveChain {
    func member(_ name: String) throws -> Member {
        guard let member = manifest.chain[name] else { throw NoChain() }
        return member
    }

    /// A map of a member, open.
    func map(_ map: String, of name: String) throws -> MapHandle {
        let member = try member(name)
        guard let place = member.unit.maps.firstIndex(where: { $0.name == map }) else { throw NoChain() }
        return try MapHandle(id: member.mapIDs[place])
    }

    var allMapIDs: [UInt32] { manifest.chain.members.flatMap(\.mapIDs) + manifest.counterPages }
}

extension MapHandle {
    /// The first bytes of an element as a number: the key 32 bits, the value 32 or 64.
    func number(at key: UInt32 = 0, offset: Int = 0) throws -> UInt64? {
        let size = Int(definition.valueSize)
        let bytes = withUnsafeBytes(of: key) { Array($0) }
        guard let value = try map.lookup(bytes, valueSize: size) else { return nil }
        return value.dropFirst(offset).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A number summed up over all CPUs.
    func sum(at key: UInt32) throws -> UInt64 {
        let size = (Int(definition.valueSize) + 7) / 8 * 8
        let bytes = withUnsafeBytes(of: key) { Array($0) }
        let value = try map.lookup(bytes, valueSize: size * possibleCPUs) ?? []
        return stride(from: 0, to: value.count, by: size).reduce(0) { sum, start in
            sum &+ value[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
    }
}

/// CPUs that the kernel has room for.
let possibleCPUs = Int(sysconf(Int32(_SC_NPROCESSORS_CONF)))

/// Objects go after a grace period; waits until a condition holds, at most some seconds, on a slow machine (`XDP_SLOW`) more.
func eventually(within seconds: Int = 5, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(getenv("XDP_SLOW") == nil ? seconds : 6 * seconds)
    while true {
        if try condition() { return true }
        if ContinuousClock.now > deadline { return false }
        usleep(5000)
    }
}

extension Optional where Wrapped == XDPError {
    /// For the comment of an expectation.
    var debugText: String { map(\.description) ?? "no error" }
}

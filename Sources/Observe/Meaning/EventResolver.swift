// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import XDP

/// Finds out what the numbers of events are called.
///
/// What was found is kept: ids of programs and maps for good, since the kernel gives none twice, and everything about
/// interfaces for some seconds.
public struct EventResolver: ~Copyable {
    /// The network namespace whose interfaces need no further word.
    private let home: UInt32
    private var programs: [UInt32: String] = [:]
    /// The interface whose chain a program is.
    private var chains: [UInt32: Interface] = [:]
    private var maps: [UInt32: String] = [:]
    private var interfaces: [Place: String?] = [:]
    private var features: [UInt32: InterfaceFeatures?] = [:]
    private var readTime: Int64 = 0

    /// How long interfaces are taken for as they were, in nanoseconds.
    private static let lifetime: Int64 = 3_000_000_000
    private static let mostKept = 4096

    private struct Place: Hashable {
        let index: UInt32
        let namespace: UInt32
    }

    /// Begins in the calling thread's network namespace, in which it also has to be asked.
    public init() {
        home = (try? NetworkNamespace.current().identity.inode).map { UInt32(truncatingIfNeeded: $0) } ?? 0
    }

    /// What is known of an event. What cannot be found out, for whatever reason, is left out.
    ///
    /// - Parameter isDetailed: whether to look for causes, too, which takes milliseconds.
    public mutating func names(of key: XDPEvent.Key, isDetailed: Bool) -> EventNames {
        forgetOld()
        var names = EventNames()
        if key.interface != 0 { names.interface = interface(key.interface, key.namespace) }
        if key.target != 0 { names.target = interface(key.target, key.targetNamespace) }
        if key.program != 0 { names.program = program(key.program) }
        if key.map != 0 { names.map = map(key.map) }
        if isDetailed { addCauses(of: key, to: &names) }
        return names
    }

    private mutating func forgetOld() {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        if now - readTime > Self.lifetime {
            readTime = now
            interfaces = [:]
            features = [:]
        }
        if programs.count > Self.mostKept { programs = [:] }
        if maps.count > Self.mostKept { maps = [:] }
        if chains.count > Self.mostKept { chains = [:] }
    }

    // MARK: - Interfaces

    private mutating func interface(_ index: UInt32, _ namespace: UInt32) -> String? {
        let place = Place(index: index, namespace: namespace)
        if let known = interfaces[place] { return known }
        let found = namespace == home || namespace == 0 ? Self.name(of: index) : Self.name(of: place)
        interfaces[place] = .some(found)
        return found
    }

    private static func name(of index: UInt32) -> String? {
        guard var route = try? RouteSocket() else { return nil }
        return try? route.link(index: index).name
    }

    /// In another namespace, if that can be found.
    private static func name(of place: Place) -> String? {
        let found = (try? NamespaceSearch())?.found ?? []
        guard
            let namespace = found.first(where: {
                UInt32(truncatingIfNeeded: $0.identity.inode) == place.namespace
            }), let name = namespace.run({ name(of: place.index) })
        else { return nil }
        return name.map { "\($0) in namespace \(namespace.reference)" }
    }

    private mutating func features(of index: UInt32) -> InterfaceFeatures? {
        if let known = features[index] { return known }
        var found: InterfaceFeatures?
        if let interface = (try? Interface.all())?.first(where: { $0.index == index }) {
            found = try? .read(of: interface)
        }
        features[index] = .some(found)
        return found
    }

    // MARK: - Programs and maps

    private mutating func program(_ id: UInt32) -> String? {
        if let known = programs[id] { return known }
        let name = chainName(id) ?? Self.programName(id)
        if let name { programs[id] = name }
        return name
    }

    /// Of a chain's program, or of a member's own.
    private mutating func chainName(_ id: UInt32) -> String? {
        for interface in (try? Interface.all()) ?? [] where !interface.link.attachments.isEmpty {
            guard case .chain(let active)? = try? interface.occupant() else { continue }
            let members = active.manifest.chain.members
            if active.programID == id {
                chains[id] = interface
                let names = members.map(\.name)
                if names.isEmpty { return "the empty chain of \(interface.name)" }
                let text = names.joined(separator: " → ")
                return text.count <= 40 ? text : "the chain of \(interface.name)"
            }
            if let member = members.first(where: { $0.separate?.programID == id }) { return member.name }
        }
        return nil
    }

    private static func programName(_ id: UInt32) -> String? {
        guard let program = try? Program(id: id), let information = try? program.information() else {
            return nil
        }
        return information.name.isEmpty ? nil : information.name
    }

    private mutating func map(_ id: UInt32) -> String? {
        if let known = maps[id] { return known }
        guard let map = try? BPFMap(id: id), let information = try? map.information(),
            !information.definition.name.isEmpty
        else { return nil }
        maps[id] = information.definition.name
        return information.definition.name
    }

    /// What a program is called; nil where that cannot be found out.
    public mutating func programName(_ id: UInt32) -> String? {
        id == 0 ? nil : program(id)
    }

    // MARK: - Causes

    private mutating func addCauses(of key: XDPEvent.Key, to names: inout EventNames) {
        switch key.kind {
        case .exception:
            if key.verdict == 0 { names.members = aborting(key.program) }
            if key.verdict == 3, key.namespace == home {
                names.peerRemedy = features(of: key.interface)?.peerRemedy
            }
        case .bulkTransmit where key.namespace == home:
            names.peerRemedy = features(of: key.interface)?.peerRemedy
        case .redirectError, .devmapTransmit:
            guard key.target != 0, key.targetNamespace == home, let target = features(of: key.target) else {
                return
            }
            names.targetMTU = target.mtu
            guard target.features[.transmit] == .unsupported else { return }
            names.targetObstacle = target.withoutTransmitReason
            names.targetRemedy = target.withoutTransmitRemedy(orGeneric: "use --mode generic")
        default: break
        }
    }

    /// The members of a chain that counted packets they answered aborted.
    private func aborting(_ program: UInt32) -> [String] {
        guard let interface = chains[program],
            case .chain(let active)? = try? Interface(named: interface.name).occupant(),
            active.programID == program, active.manifest.chain.members.count > 1,
            let counters = (try? active.counters()).flatMap({ $0 })
        else { return [] }
        return zip(active.manifest.chain.members, counters)
            .filter { $0.1[.aborted].packets > 0 }.map(\.0.name)
    }
}

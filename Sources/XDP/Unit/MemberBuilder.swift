// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// Makes members out of object files: opens the object, makes or finds its maps, takes the program out.
public struct MemberBuilder {
    /// A member that is ready to be put into a chain; its maps live as long as this.
    public struct Built: Sendable {
        public var member: Member
        public let maps: [MapHandle]
        /// The object's own type information, which lives as long as this.
        public let types: BTFHandle?
        /// What happened to the maps, in words.
        public let notes: [String]
        /// Whether its place comes from its own metadata.
        let hasOwnOrder: Bool
    }

    /// Whether every other member of the chain handles packets of several buffers.
    public var othersSupportFrags = true
    /// The card for which maps are made; 0 for none.
    public var offloadInterface: UInt32 = 0
    /// What the chain is loaded for, and with it what members tail-call.
    public var attachType = AttachType.xdp

    public init() {}

    /// Builds a member.
    ///
    /// - Parameter predecessor: a member whose maps are kept where their definition is unchanged.
    public func build(_ request: LoadRequest, replacing predecessor: Member? = nil) throws(XDPError) -> Built
    {
        let name = predecessor?.name ?? request.name ?? ObjectFile.stem(of: request.path)
        let what = "\(request.path) cannot be loaded"
        let bytes = try ObjectBytes.read(request.path)
        do throws(BPFError) {
            var object = try ObjectFile(bytes: bytes, name: request.path)
            let program = try choose(request, replacing: predecessor, of: object)
            var settings = MapSettings(request: request, predecessor: predecessor)
            try settings.apply(to: &object)
            let declared = object.maps
            let configuration = object.runConfiguration(of: program.name)
            let mayThrow = object.calls("bpf_throw", from: program.name)
            let supportsFrags = program.section.hasPrefix("xdp.frags")
            let prepared = try object.prepare(
                program: program.name, calleesHaveFrags: supportsFrags && othersSupportFrags,
                calleesAttachTo: attachType, offloadInterface: offloadInterface)
            let maps = declared.map { map in
                UnitMap(
                    name: map.name, definition: map.definition,
                    layout: Array(SHA256.digest(of: Array(map.signature.utf8)).prefix(16)),
                    isInternal: map.isInternal)
            }
            var member = Member(
                name: name, origin: ObjectBytes.absolute(request.path), digest: SHA256.digest(of: bytes),
                unit: Unit(prepared.program, maps: maps, mayThrow: mayThrow), mapIDs: prepared.maps.map(\.id))
            member.buildTime = Self.now()
            member.pins = settings.pins
            member.settings = MemberSettings(request)
            if predecessor?.settings.isIsolated == true { member.settings.isIsolated = true }
            if let old = predecessor?.settings, request.keepsSettings {
                member.settings.variables.merge(settings.variables) { said, _ in said }
                member.settings.maximumEntries.merge(settings.maximumEntries) { said, _ in said }
                if request.pinDirectory == nil { member.settings.pinDirectory = old.pinDirectory }
            }
            takeOver(configuration, request, predecessor, &member)
            var notes = settings.notes + keepPins(of: predecessor, &member)
            if !prepared.program.hasBTF {
                notes.append(
                    "\(name): the kernel does not take the object's type information, so it has no source lines"
                )
            }
            return Built(
                member: member, maps: prepared.maps, types: prepared.types, notes: notes,
                hasOwnOrder: configuration != nil)
        } catch let error {
            throw XDPError(error, during: what)
        }
    }

    /// Nanoseconds since boot, alike in all processes.
    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }

    /// The edges and the priority: what the user said, else what the member had, else the metadata.
    private func takeOver(
        _ configuration: RunConfiguration?, _ request: LoadRequest, _ predecessor: Member?,
        _ member: inout Member
    ) {
        if let predecessor {
            member.priority = predecessor.priority
            member.edges = predecessor.edges
            member.counterSlot = predecessor.counterSlot
            member.counterBaseline = predecessor.counterBaseline
        } else if let configuration {
            member.priority = configuration.priority
            member.edges = Edge.edges(saidBy: configuration)
        }
        member.edges.merge(request.edges) { $1 }
    }

    /// Pins that the replaced member had stay what they are; those of maps that are kept are the new member's.
    private func keepPins(of predecessor: Member?, _ member: inout Member) -> [String] {
        guard let predecessor else { return [] }
        var notes: [String] = []
        for pin in predecessor.pins where !member.pins.contains(pin) {
            let old = predecessor.unit.maps.firstIndex { $0.name == pin.map }.map { predecessor.mapIDs[$0] }
            let new = member.unit.maps.firstIndex { $0.name == pin.map }.map { member.mapIDs[$0] }
            if let old, old == new {
                member.pins.append(pin)
            } else if BPFFileSystem.exists(pin.path) {
                notes.append("\(pin.path): still the old map \(pin.map)")
            }
        }
        return notes
    }

    /// The program that is meant.
    func choose(
        _ request: LoadRequest, replacing predecessor: Member?, of object: borrowing ObjectFile
    ) throws(BPFError) -> ObjectFile.ObjectProgram {
        let callees = object.tailCallees
        let programs = object.programs.filter(\.isXDP)
        let names = programs.map { "\($0.name) (\($0.section))" }.joined(separator: ", ")
        if let wanted = request.program {
            if let found = programs.first(where: { $0.name == wanted }) { return found }
            throw BPFError(
                "find program \(wanted)", on: object.name,
                kernelMessage: "the object has no such XDP program",
                remedy: names.isEmpty ? "It has no XDP programs" : "It has \(names)")
        }
        // Programs that others tail-call are not what a user means to attach.
        let candidates = programs.filter { !callees.contains($0.name) }
        let chosen = candidates.isEmpty ? programs : candidates
        guard let first = chosen.first else {
            throw BPFError(
                "find an XDP program", on: object.name, kernelMessage: "the object has none",
                remedy: object.programs.isEmpty
                    ? nil : "Its programs are for \(object.programs.map(\.section).joined(separator: ", "))")
        }
        // A new build of the same program.
        if let same = chosen.first(where: { $0.name == predecessor?.unit.program }) { return same }
        guard chosen.count == 1 else {
            throw BPFError(
                "choose a program", on: object.name, kernelMessage: "the object has several: \(names)",
                remedy: "Name one with --program (in a file with `program:`)")
        }
        return first
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF

/// One program in a chain: its code, its place in the graph, and the kernel objects that belong to it.
public struct Member: Sendable, Hashable {
    /// Unique in the chain.
    public var name: String
    /// The file it was loaded from, as an absolute path.
    public var origin: String
    /// SHA-256 of that file.
    public var digest: [UInt8]
    /// Nanoseconds since boot when its code was made ready: of two replacements at once the later one counts.
    public var buildTime: UInt64
    /// Lower stands earlier, when nothing else was asked for; 50 is usual.
    public var priority: UInt32
    /// The edges that were set; verdicts without one follow ``Edge/standard(for:)``.
    public var edges: [Verdict: Edge]
    public var unit: Unit
    /// The kernel's ids of the maps, in the order of `unit.maps`.
    public var mapIDs: [UInt32]
    /// The names of the unit's maps that are pinned for the user, and where.
    public var pins: [MapPin]
    /// Its place in the counters of the chain.
    public var counterSlot: Int
    /// What the place held when the member took it over; subtracted from what is read.
    public var counterBaseline: MemberCounters
    /// What was asked for when it was loaded.
    public var settings: MemberSettings
    /// Its own program, where it is not part of the linked one.
    public var separate: SeparateProgram?
    /// What is known of a program that somebody else loaded; such a member has no instructions here.
    public var adopted: AdoptedProgram?
    /// How the linker put it into the chain.
    public var composition: Composition

    public init(name: String, origin: String, digest: [UInt8], unit: Unit, mapIDs: [UInt32]) {
        self.name = name
        self.origin = origin
        self.digest = digest
        buildTime = 0
        self.priority = RunConfiguration.standard.priority
        self.edges = [:]
        self.unit = unit
        self.mapIDs = mapIDs
        self.pins = []
        self.counterSlot = -1
        self.counterBaseline = MemberCounters()
        self.settings = MemberSettings()
        self.composition = Composition(mode: .inline, reason: "")
    }

    /// Takes over what belongs to the code of another, and keeps the place in the chain, the edges and the
    /// counters.
    mutating func takeCode(of other: Member) {
        origin = other.origin
        digest = other.digest
        buildTime = other.buildTime
        unit = other.unit
        mapIDs = other.mapIDs
        pins = other.pins
        settings = other.settings
    }

    /// Where a packet goes after a verdict.
    public func edge(after verdict: Verdict) -> Edge {
        edges[verdict] ?? .standard(for: verdict)
    }

    /// The same edges for every verdict, however they are written down.
    func leads(as other: [Verdict: Edge]) -> Bool {
        Verdict.allCases.allSatisfy { edge(after: $0) == other[$0] ?? .standard(for: $0) }
    }

    /// The ids of its program arrays, which the kernel empties unless somebody holds them: its own, and the
    /// one through which the chain calls it.
    public var programArrayIDs: [UInt32] {
        zip(unit.maps, mapIDs).filter { $0.0.definition.type == .programArray }.map(\.1)
            + (separate.map { [$0.arrayID] } ?? [])
    }

    /// Whether a name can be a member's: letters, digits, `_`, `-` and `.`, at most 63, and no word that
    /// means something in an edge.
    public static func isValid(name: String) -> Bool {
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || "_-.".unicodeScalars.contains(scalar)
        }
        return isPlain && (1...63).contains(name.utf8.count)
            && !["next", "end", "all", ".", ".."].contains(name)
            && !name.hasPrefix("-")
    }
}

/// A map that is pinned for its user.
public struct MapPin: Sendable, Hashable {
    public var map: String
    public var path: String

    public init(map: String, path: String) {
        self.map = map
        self.path = path
    }
}

/// How a member is put into the linked program, and why.
public struct Composition: Sendable, Hashable {
    /// The rungs of the ladder, the cheapest first.
    public enum Mode: String, Sendable, Hashable, Codable {
        /// Its instructions stand in the chain's main function: about two instructions a hop.
        case inline
        /// It is a subprogram that the chain calls: about 8 ns.
        case call
        /// It has a program of its own, which the chain calls through a program array: about 9 ns.
        case isolated
        /// As `isolated`, with a program that somebody else loaded.
        case adopted
        /// No packet can get there.
        case unreachable
    }

    public var mode: Mode
    /// Why it is not inline; empty where it is.
    public var reason: String
    /// Which of the chain's programs it is in, where one does not hold all members; 0 is the first.
    public var segment: Int

    public init(mode: Mode, reason: String, segment: Int = 0) {
        self.mode = mode
        self.reason = reason
        self.segment = segment
    }
}

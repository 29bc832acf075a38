// SPDX-License-Identifier: Apache-2.0
import XDP

/// Everything that was found out about an interface before, during and after a time of watching it. What packets went
/// through is concluded from it alone (``Hypothesis``).
public struct ExplanationFacts: Sendable {
    public var interface: String
    public var index: UInt32
    /// The inode of its network namespace; 0 where that is not known.
    public var namespace: UInt32 = 0
    /// How long it was watched.
    public var seconds: Double
    /// As it was at the end.
    public var features: InterfaceFeatures
    /// Whether it has a carrier: a cable, or a peer that is up.
    public var hasCarrier = true
    /// What runs on its hook; nil for nothing.
    public var program: ProgramFacts?
    public var before: InterfaceSample
    public var after: InterfaceSample
    /// The other end of a veth, where it can be looked at.
    public var peer: PeerFacts?
    /// Interfaces above, below and beside it that run programs.
    public var relatives: [RelativeFacts] = []
    /// What the kernel's tracepoints told of it.
    public var events: Gathered<[XDPEvent]> = .missing("nobody watched")
    /// Of kinds that this kernel does not tell of: why.
    public var unwatched: [XDPEvent.Kind: String] = [:]
    /// What is known of interfaces that packets are redirected to, by index.
    public var targets: [UInt32: InterfaceFeatures] = [:]
    /// Names of maps that events name, by id.
    public var maps: [UInt32: String] = [:]
    /// Empty where that could not be read.
    public var processors: [SoftirqLoad.Processor] = []
    /// What the protocols of this network namespace counted in that time, by the kernel's names: "UdpNoPorts".
    public var protocols: [String: UInt64] = [:]
    public var sockets = SocketFacts()
    /// Packets that were looked at; nil where that was not wanted.
    public var sample: Gathered<SampleFacts>?
    /// What the user should know of how it was watched.
    public var notes: [String] = []

    public init(
        interface: String, index: UInt32, seconds: Double, features: InterfaceFeatures,
        before: InterfaceSample, after: InterfaceSample
    ) {
        self.interface = interface
        self.index = index
        self.seconds = seconds
        self.features = features
        self.before = before
        self.after = after
    }
}

/// What was asked for: there, or not to be had, and why.
public enum Gathered<Value: Sendable>: Sendable {
    case known(Value)
    case missing(String)

    public var value: Value? {
        if case .known(let value) = self { return value }
        return nil
    }

    /// Why it is not there; nil where it is.
    public var reason: String? {
        if case .missing(let reason) = self { return reason }
        return nil
    }
}

/// The other end of a veth.
public struct PeerFacts: Sendable {
    /// "far", "far in namespace blue".
    public var description: String
    /// What it counted; nil where it could not be read.
    public var before: InterfaceSample?
    public var after: InterfaceSample?
    /// Whether its stack leaves checksums to the card, which a veth does not have; nil where that could not be asked.
    public var leavesChecksums: Bool?

    public init(
        description: String, before: InterfaceSample? = nil, after: InterfaceSample? = nil,
        leavesChecksums: Bool? = nil
    ) {
        self.description = description
        self.before = before
        self.after = after
        self.leavesChecksums = leavesChecksums
    }

    /// By how much a counter of the stack's side grew; nil where it is not known.
    public func grown(_ name: String) -> UInt64? {
        guard let before, let after else { return nil }
        return after.grown(name, since: before)
    }
}

/// An interface that packets of this one go through as well, or come from, and that runs a program.
public struct RelativeFacts: Sendable, Hashable {
    public enum Relation: String, Sendable, Hashable, Codable {
        /// Packets come in by it: what a VLAN or macvlan is on top of.
        case lower
        /// Packets come in by it: a port of this bridge or bond.
        case port
        /// What this one hands on goes there: the bridge or bond that this is a port of.
        case master
        /// What is on top of this one.
        case upper
        /// The other end of this veth: what is sent here goes there.
        case peer
    }

    /// What a member of its chain dropped.
    public struct Loss: Sendable, Hashable {
        public var member: String
        public var packets: UInt64

        public init(member: String, packets: UInt64) {
            self.member = member
            self.packets = packets
        }
    }

    public var relation: Relation
    public var name: String
    public var kind: String?
    /// Missing where none runs.
    public var programID: UInt32?
    public var mode: String
    /// What members of its chain dropped in that time, as far as that is counted.
    public var dropped: [Loss]
    /// Packets that came in by it in that time.
    public var received: UInt64?

    public init(
        _ relation: Relation, name: String, kind: String? = nil, programID: UInt32? = nil,
        mode: String = "native",
        dropped: [Loss] = [], received: UInt64? = nil
    ) {
        self.relation = relation
        self.name = name
        self.kind = kind
        self.programID = programID
        self.mode = mode
        self.dropped = dropped
        self.received = received
    }
}

/// AF_XDP sockets of the network namespace.
public struct SocketFacts: Sendable, Hashable {
    /// One that is bound to the interface.
    public struct Socket: Sendable, Hashable {
        public var inode: UInt32
        public var queue: UInt32
        /// How much these grew: packets dropped for any reason, because the receive ring was full (its owner does not
        /// read), and looks at a fill ring without a buffer (its owner gives none).
        public var dropped: UInt64
        public var receiveFull: UInt64
        public var fillEmpty: UInt64

        public init(
            inode: UInt32, queue: UInt32, dropped: UInt64 = 0, receiveFull: UInt64 = 0, fillEmpty: UInt64 = 0
        ) {
            self.inode = inode
            self.queue = queue
            self.dropped = dropped
            self.receiveFull = receiveFull
            self.fillEmpty = fillEmpty
        }
    }

    /// Those on the interface; nil where the kernel does not list them.
    public var bound: [Socket]?
    /// How many the namespace has; nil where the kernel does not count them.
    public var count: Int?

    public init(bound: [Socket]? = nil, count: Int? = nil) {
        self.bound = bound
        self.count = count
    }
}

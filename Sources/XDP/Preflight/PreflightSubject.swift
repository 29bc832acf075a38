// SPDX-License-Identifier: Apache-2.0
import BPF

/// Everything the rules look at: a chain as it is wanted, and what was found out about where it shall run. It
/// was gathered before; rules do nothing but compare.
public struct PreflightSubject: Sendable, Hashable {
    /// One entry of a map that packets are redirected or tail-called through.
    public struct Entry: Sendable, Hashable {
        public var key: UInt32
        /// An interface index, a queue size or the id of a program, by the kind of the map.
        public var value: UInt32
        /// The program that runs behind the redirect; 0 for none.
        public var program: UInt32 = 0
    }

    /// What a map holds.
    public enum Content: Sendable, Hashable {
        case entries([Entry])
        /// It cannot be read, and why.
        case unknown(String)

        var isEmpty: Bool { self == .entries([]) }
    }

    /// A map that a member refers to.
    public struct Map: Sendable, Hashable {
        public var name: String
        public var type: MapType
        public var content: Content
    }

    /// A member that packets reach.
    public struct Member: Sendable, Hashable {
        public var name: String
        public var analysis: ProgramAnalysis
        /// nil where it is not to be seen.
        public var supportsFrags: Bool?
        /// The verdicts that are the packet's: the others lead to another member.
        public var ends: Set<Verdict>
        /// By place, as the analysis names them; maps that no rule asks for are left out.
        public var maps: [Int: Map]

        public init(
            name: String, analysis: ProgramAnalysis, supportsFrags: Bool? = false,
            ends: Set<Verdict> = Set(Verdict.allCases), maps: [Int: Map] = [:]
        ) {
            self.name = name
            self.analysis = analysis
            self.supportsFrags = supportsFrags
            self.ends = ends
            self.maps = maps
        }
    }

    /// An interface that packets are redirected to.
    public enum Target: Sendable, Hashable {
        case interface(InterfaceFeatures)
        /// The namespace has no interface of that index.
        case missing
    }

    /// The interface that the chain runs on.
    public struct Hook: Sendable, Hashable {
        public var name: String
        public var index: UInt32
        /// What `ip link add type` calls it; nil for hardware.
        public var kind: String?
        public var mtu: UInt32
        /// nil where no rule needs them.
        public var features: InterfaceFeatures?

        public init(
            name: String, index: UInt32, kind: String? = nil, mtu: UInt32 = 1500,
            features: InterfaceFeatures? = nil
        ) {
            self.name = name
            self.index = index
            self.kind = kind
            self.mtu = mtu
            self.features = features
        }

        /// The other end of a veth; nil where there is none in sight.
        var peer: InterfacePeer? { features?.peer }

        /// What is known of a feature.
        func support(_ feature: InterfaceFeatures.Feature) -> Support {
            features?.support(feature) ?? .unknown("nobody asked")
        }
    }

    public var hook: Hook
    public var mode: AttachMode
    /// What was asked for; nil where a chain is there and keeps its mode.
    public var request: ModeRequest?
    /// Those whose code or way is new; the others hold as before.
    public var members: [Member]
    /// Whether every member of the chain, also those that are not new, handles packets of several buffers.
    public var supportsFrags: Bool
    /// Members that do not, if others do.
    public var withoutFrags: [String]
    /// By index.
    public var targets: [UInt32: Target]
    /// Whether a member that is not among ``members`` may call a redirect helper.
    public var othersRedirect: Bool
    /// Whether this kernel has the helpers that were asked for, by number.
    public var helpers: [UInt32: Support]
    /// Whether this kernel redirects through cpumaps in generic mode.
    public var genericCPUMap: Support
    /// Bytes of a page of memory.
    public var pageSize: UInt32 = 4096

    public init(
        hook: Hook, mode: AttachMode, request: ModeRequest? = nil, members: [Member],
        targets: [UInt32: Target] = [:]
    ) {
        self.hook = hook
        self.mode = mode
        self.request = request
        self.members = members
        self.targets = targets
        supportsFrags = members.allSatisfy { $0.supportsFrags == true }
        withoutFrags = []
        othersRedirect = false
        helpers = [:]
        genericCPUMap = .supported
    }

    /// The largest packet, link-layer header included, that fits into one page with what drivers put around it:
    /// 256 bytes of room before, and the kernel's own record behind.
    var largestSingleBuffer: UInt32 { pageSize - 256 - 320 }

    /// Whether packets may be longer than one buffer.
    var hasLargePackets: Bool { hook.mtu + 14 > largestSingleBuffer }
}

extension InterfaceFeatures {
    /// What is known of a feature.
    func support(_ feature: Feature) -> Support {
        features[feature] ?? .unknown("the kernel does not say it")
    }
}

extension MapType {
    /// Of AF_XDP sockets.
    static let socketMap = MapType(rawValue: 17)

    var isDeviceMap: Bool { self == .deviceMap || self == .deviceHash }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// What can be said of a program before it is attached: what it does, and what it needs.
public struct ProgramInspection: Sendable {
    /// Where the program was found.
    public enum Origin: Sendable, Hashable {
        /// In an object file, in a section of it.
        case object(path: String, section: String)
        /// In the kernel, by its id.
        case loaded(ProgramInformation)
    }

    /// A program that a tail call can lead to, as the program array has it now.
    public struct TailCallee: Sendable, Hashable {
        /// The place of the array in the maps.
        public let map: Int
        public let entry: UInt32
        public let programID: UInt32
        /// As the kernel keeps it; empty where it does not show it.
        public let name: String
        /// What it can return, with everything that its own tail calls lead to now; nil where something of that
        /// cannot be read.
        public let verdicts: Set<Verdict>?
    }

    public let origin: Origin
    public let code: ProgramCode
    public let analysis: ProgramAnalysis
    /// As the kernel compares it; nil where it is not known.
    public let license: String?
    /// What it says of its place in a chain; nil if nothing.
    public let runConfiguration: RunConfiguration?
    /// What it needs of a kernel, in the order of its first use.
    public let kernelNeeds: [KernelRequirement]
    /// What it needs of interfaces.
    public let interfaceNeeds: [InterfaceNeed]
    /// What its tail calls lead to now; empty for programs that are not loaded.
    public let tailCallees: [TailCallee]
    /// Why it could not be found out what is called; nil where it was.
    public let hidden: String?
    /// What was noticed on the way.
    public let notes: [String]
}

/// Something that a program needs of the interface that it is attached to, or sends to.
public struct InterfaceNeed: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Sends packets back out.
        case transmit = "tx"
        /// Redirects.
        case redirect
        /// The interfaces that it redirects to have to take packets from XDP.
        case transmitAtTarget = "ndo-xmit-at-target"
        /// A socket of AF_XDP has to stand behind an entry of the map.
        case socket = "af-xdp-socket"
        /// Room for metadata in front of the packet.
        case metadata = "metadata"
        /// What the card knows of a packet.
        case receiveHash = "rx-hash"
        case receiveTimestamp = "rx-timestamp"
        case receiveVLANTag = "rx-vlan-tag"
        /// It takes only packets that fit one buffer.
        case singleBuffer = "single-buffer"

        /// Why, as a sentence without its end.
        public var reason: String {
            switch self {
            case .transmit: "It sends packets back out of the interface they came in by"
            case .redirect: "It redirects packets, which the driver has to know"
            case .transmitAtTarget:
                "Where it redirects to, the driver has to take packets from XDP: else they are lost without a trace"
            case .socket: "Packets reach a socket of AF_XDP only if one is bound to the queue and in the map"
            case .metadata: "It writes metadata in front of packets, for which the driver has to leave room"
            case .receiveHash: "It asks the driver for the hash of a packet"
            case .receiveTimestamp: "It asks the driver for the time of a packet"
            case .receiveVLANTag: "It asks the driver for the VLAN tag of a packet"
            case .singleBuffer:
                "It is not built for packets in several buffers (xdp.frags), which limits the MTU"
            }
        }
    }

    public let kind: Kind
    public let places: [ProgramAnalysis.Place]
}

extension InterfaceNeed {
    /// What follows from what a program does.
    static func all(of code: ProgramCode, _ analysis: ProgramAnalysis) -> [InterfaceNeed] {
        var needs: [InterfaceNeed] = []
        if let places = analysis.verdicts[.tx], analysis.undecided.isEmpty {
            needs.append(InterfaceNeed(kind: .transmit, places: places))
        }
        if !analysis.redirects.isEmpty {
            needs.append(InterfaceNeed(kind: .redirect, places: analysis.redirects.flatMap(\.places)))
        }
        let xskMap = "xskmap"
        let cpuMap = "cpumap"
        var outside: [ProgramAnalysis.Place] = []
        var sockets: [ProgramAnalysis.Place] = []
        for redirect in analysis.redirects {
            guard case .map(let map) = redirect.target, code.maps.indices.contains(map) else {
                outside += redirect.places
                continue
            }
            let type = code.maps[map].definition.type.description
            if type == xskMap {
                sockets += redirect.places
            } else if type != cpuMap {
                outside += redirect.places
            }
        }
        if !outside.isEmpty { needs.append(InterfaceNeed(kind: .transmitAtTarget, places: outside)) }
        if !sockets.isEmpty { needs.append(InterfaceNeed(kind: .socket, places: sockets)) }
        if !analysis.adjustsMetadata.isEmpty {
            needs.append(InterfaceNeed(kind: .metadata, places: analysis.adjustsMetadata))
        }
        for (name, kind) in [
            ("bpf_xdp_metadata_rx_hash", Kind.receiveHash),
            ("bpf_xdp_metadata_rx_timestamp", .receiveTimestamp),
            ("bpf_xdp_metadata_rx_vlan_tag", .receiveVLANTag),
        ] {
            let places = analysis.kernelFunctions.filter { $0.name == name }.flatMap(\.places)
            if !places.isEmpty { needs.append(InterfaceNeed(kind: kind, places: places)) }
        }
        if code.supportsFrags == false { needs.append(InterfaceNeed(kind: .singleBuffer, places: [])) }
        return needs
    }
}

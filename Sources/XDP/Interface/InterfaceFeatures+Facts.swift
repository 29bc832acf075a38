// SPDX-License-Identifier: Apache-2.0
import Netlink

extension InterfaceFeatures {
    static let withoutFamily = "this kernel does not tell what drivers can do (Linux 6.3)"
    static let withoutReceiveMetadata =
        "this kernel does not tell what programs can ask of a packet (Linux 6.6)"
    static let withoutTransmitMetadata =
        "this kernel does not tell what sockets can ask of the card (Linux 6.8)"
    static let withoutPorts = "a bond without ports tells nothing; it can do what all its ports can do"
    static let notTried = "only an attachment tells; `--probe` tries one"

    /// What follows from what the kernel said.
    init(_ facts: InterfaceFacts) {
        self.init(name: facts.link.name, index: facts.link.index, unknown: Self.withoutFamily)
        kind = facts.link.kind
        isUp = facts.link.isUp
        mtu = facts.link.mtu
        driver = facts.driver.map {
            Driver(name: $0.name, version: $0.version, firmware: $0.firmware, bus: $0.bus)
        }
        queues = facts.channels.map {
            Queues(
                receive: $0.receive, transmit: $0.transmit, combined: $0.combined,
                maximumReceive: $0.maximumReceive, maximumTransmit: $0.maximumTransmit,
                maximumCombined: $0.maximumCombined)
        }
        rings = facts.rings.map {
            Rings(
                receive: $0.receive, transmit: $0.transmit, maximumReceive: $0.maximumReceive,
                maximumTransmit: $0.maximumTransmit)
        }
        peer = facts.peer
        takeOffloads(facts.offloads)
        if let device = facts.netdev { takeBits(device, isEmptyBond: facts.isEmptyBond) }
        takeRunningProgram(facts)
        if !facts.hasNetdevFamily, facts.link.kind == "veth" { deriveFromPeer(facts) }
        takeMTU(facts)
        if let outcome = facts.probe { takeProbe(outcome) }
        obstacles = InterfaceObstacles(self, facts).findings
    }

    /// The offloads that change what XDP can do.
    private static let relevantOffloads = [
        "rx-lro", "rx-gro-hw", "rx-gro", "tx-tcp-segmentation", "rx-vlan-hw-parse",
    ]

    private mutating func takeOffloads(_ known: Offloads?) {
        for name in Self.relevantOffloads {
            if let isOn = known?[name] { offloads[name] = isOn }
        }
    }

    private mutating func takeBits(_ device: NetdevDevice, isEmptyBond: Bool) {
        if let bits = device.features {
            for feature in Feature.allCases {
                let has = bits.contains(feature.bit)
                features[feature] =
                    has ? .supported : isEmptyBond ? .unknown(Self.withoutPorts) : .unsupported
            }
            native = features[.basic] ?? native
        }
        for key in ReceiveMetadata.allCases {
            receiveMetadata[key] =
                device.receiveMetadata.map {
                    $0.contains(key.bit) ? .supported : .unsupported
                } ?? .unknown(Self.withoutReceiveMetadata)
        }
        for key in TransmitMetadata.allCases {
            transmitMetadata[key] =
                device.transmitMetadata.map {
                    $0.contains(key.bit) ? .supported : .unsupported
                } ?? .unknown(Self.withoutTransmitMetadata)
        }
        zeroCopySegments = device.zeroCopySegments
    }

    /// What runs can run.
    private mutating func takeRunningProgram(_ facts: InterfaceFacts) {
        guard let running = facts.link.attachments.first(where: { $0.mode == .native }) else { return }
        if native != .supported {
            evidence.append("native: program \(running.programID) runs in the driver now")
        }
        native = .supported
        features[.basic] = .supported
    }

    /// The rule of veth: packets can be sent to an end while the other one receives through NAPI, and that it does
    /// with a program in its driver or, since Linux 5.13, with GRO.
    private mutating func deriveFromPeer(_ facts: InterfaceFacts) {
        guard let peer = facts.peer else {
            features[.transmit] = .unknown(
                "the peer decides, and it is out of sight (another network namespace)")
            return
        }
        if let program = peer.nativeProgramID {
            features[.transmit] = .supported
            evidence.append("ndo-xmit: program \(program) runs natively on the peer \(peer.description)")
            return
        }
        switch (peer.gro, facts.groReceives) {
        case (false, _):
            refuseTransmission("no program runs natively on the peer \(peer.description), and its GRO is off")
        case (true, true):
            features[.transmit] = .supported
            evidence.append("ndo-xmit: GRO of the peer \(peer.description) is on")
        case (true, false):
            refuseTransmission(
                "no program runs natively on the peer \(peer.description), and GRO is not enough before Linux 5.13"
            )
        case (true, nil):
            features[.transmit] = .unknown(
                "the peer \(peer.description) has GRO on, which is enough since Linux 5.13; "
                    + "whether it is here could not be found out")
        case (nil, _):
            features[.transmit] = .unknown(
                "the peer \(peer.description) decides, and its GRO cannot be asked for")
        }
    }

    private mutating func refuseTransmission(_ why: String) {
        features[.transmit] = .unsupported
        features[.transmitFragments] = .unsupported
        evidence.append("ndo-xmit: \(why)")
    }

    /// While a program runs on a veth the kernel limits the MTU of its peer to what the program can take.
    private mutating func takeMTU(_ facts: InterfaceFacts) {
        singleBuffer = SingleBuffer(atPresentMTU: .unknown(Self.notTried))
        if native == .unsupported {
            singleBuffer.atPresentMTU = .unsupported
            return
        }
        guard facts.link.kind == "veth", facts.link.attachments.contains(where: { $0.mode == .native }),
            let limit = facts.peerMaximumMTU, limit < Self.ethernetMaximum
        else { return }
        singleBuffer = SingleBuffer(atPresentMTU: .supported, largestMTU: limit)
        evidence.append("MTU: a program without frags runs, and the kernel limits the peer's MTU to \(limit)")
    }

    /// `ETH_MAX_MTU`: no limit.
    static let ethernetMaximum: UInt32 = 65535
}

extension InterfaceFacts {
    /// A bond without ports shows no bits, although it takes programs.
    var isEmptyBond: Bool { link.kind == "bond" && ports == 0 }
}

extension InterfaceFeatures.Feature {
    var bit: NetdevDevice.Features {
        switch self {
        case .basic: .basic
        case .redirect: .redirect
        case .transmit: .transmit
        case .zeroCopy: .zeroCopy
        case .offload: .offload
        case .receiveFragments: .receiveFragments
        case .transmitFragments: .transmitFragments
        }
    }
}

extension InterfaceFeatures.ReceiveMetadata {
    var bit: NetdevDevice.ReceiveMetadata {
        switch self {
        case .timestamp: .timestamp
        case .hash: .hash
        case .vlanTag: .vlanTag
        }
    }
}

extension InterfaceFeatures.TransmitMetadata {
    var bit: NetdevDevice.TransmitMetadata {
        switch self {
        case .timestamp: .timestamp
        case .checksum: .checksum
        case .launchTime: .launchTime
        }
    }
}

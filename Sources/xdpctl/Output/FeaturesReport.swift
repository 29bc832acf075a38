// SPDX-License-Identifier: Apache-2.0
import XDP

/// What `xdpctl features` says of interfaces, as text or as JSON. Documentation/json.md describes the fields.
struct FeaturesReport: Encodable {
    var format = 1
    let interfaces: [InterfaceFeaturesStatus]
    /// What was asked for with `--require`, for each interface; missing where nothing was.
    let required: [RequirementStatus]?
    /// Whether all of it is there.
    let isMet: Bool?

    init(_ features: [InterfaceFeatures], requiring names: [String]) {
        interfaces = features.map(InterfaceFeaturesStatus.init)
        let requirements = features.flatMap { features in
            names.compactMap { RequirementStatus($0, of: features) }
        }
        required = names.isEmpty ? nil : requirements
        isMet = names.isEmpty ? nil : requirements.allSatisfy { $0.support == "yes" }
    }
}

/// An answer to one name of `--require`.
struct RequirementStatus: Encodable {
    let interface: String
    let name: String
    let support: String
    /// Why it is unknown.
    let reason: String?
    /// What would bring it, where that is known.
    let remedy: String?

    /// What stands in the way of what.
    private static let rules: [String: [String]] = [
        "native": ["queues", "mtu", "refused"], "basic": ["queues", "mtu", "refused"],
        "ndo-xmit": ["peer-napi", "no-transmit"], "ndo-xmit-sg": ["peer-napi"],
    ]

    init?(_ name: String, of features: InterfaceFeatures) {
        guard let answer = features.support(of: name) else { return nil }
        interface = features.name
        self.name = name
        support = answer.word
        reason = answer.reason
        remedy =
            answer == .supported
            ? nil : features.obstacles.first { Self.rules[name]?.contains($0.rule) == true }?.remedy
    }
}

/// One interface.
struct InterfaceFeaturesStatus: Encodable {
    /// The answer to one name.
    struct Answer: Encodable {
        let name: String
        let support: String
        let reason: String?
    }

    /// Whether a program without frags fits.
    struct SingleBuffer: Encodable {
        let support: String
        let reason: String?
        let largestMTU: UInt32?
        let kernelMessage: String?

        enum CodingKeys: String, CodingKey {
            case support, reason
            case largestMTU = "largestMtu"
            case kernelMessage
        }
    }

    /// An offload.
    struct Offload: Encodable {
        let name: String
        let isOn: Bool
    }

    let name: String
    let index: UInt32
    let kind: String?
    let isUp: Bool
    let mtu: UInt32
    let driver: DriverStatus?
    /// Every name that `--require` takes, in its order.
    let features: [Answer]
    let zeroCopySegments: UInt32?
    let singleBuffer: SingleBuffer
    let queues: QueuesStatus?
    let rings: RingsStatus?
    let offloads: [Offload]
    let peer: PeerStatus?
    let evidence: [String]
    let obstacles: [CheckOutput]

    init(_ features: InterfaceFeatures) {
        name = features.name
        index = features.index
        kind = features.kind
        isUp = features.isUp
        mtu = features.mtu
        driver = features.driver.map(DriverStatus.init)
        self.features = InterfaceFeatures.names.compactMap { name in
            features.support(of: name).map { Answer(name: name, support: $0.word, reason: $0.reason) }
        }
        zeroCopySegments = features.zeroCopySegments
        let single = features.singleBuffer
        singleBuffer = SingleBuffer(
            support: single.atPresentMTU.word, reason: single.atPresentMTU.reason,
            largestMTU: single.largestMTU, kernelMessage: single.kernelMessage)
        queues = features.queues.map(QueuesStatus.init)
        rings = features.rings.map(RingsStatus.init)
        offloads = features.offloads.keys.sorted().compactMap { name in
            features.offloads[name].map { Offload(name: name, isOn: $0) }
        }
        peer = features.peer.map(PeerStatus.init)
        evidence = features.evidence
        obstacles = features.obstacles.map(CheckOutput.init)
    }
}

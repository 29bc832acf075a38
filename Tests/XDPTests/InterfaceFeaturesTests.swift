// SPDX-License-Identifier: Apache-2.0
import SystemPackage
import Testing

@testable import Netlink
@testable import XDP

/// What is concluded from what the kernel said. Any user may run these.
@Suite("What follows from what the kernel says of an interface")
struct InterfaceFeaturesTests {
    /// A card or a veth of which the kernel says this much.
    private static func facts(
        _ kind: String? = nil, bits: NetdevDevice.Features? = nil, running: UInt32? = nil
    ) -> InterfaceFacts {
        var link = Link(index: 7, name: "x", hardwareType: 1, flags: [.up])
        link.kind = kind
        link.mtu = 1500
        link.attachments = running.map { [XDPAttachment(mode: .native, programID: $0)] } ?? []
        var facts = InterfaceFacts(link: link)
        facts.hasNetdevFamily = bits != nil
        facts.netdev = bits.flatMap { bits in
            var message = MessageBuilder(type: 20)
            message.attribute(1, uint32: 7)
            message.attribute(3, uint64: bits.rawValue)
            let bytes = (try? message.encoded()) ?? []
            return NetdevDevice(Attributes(bytes.dropFirst(16)))
        }
        return facts
    }

    private static func offloads(on: Set<String> = [], off: Set<String> = []) -> Offloads {
        var offloads = Offloads(Attributes([]))
        offloads.active = on
        offloads.switchable = on.union(off)
        return offloads
    }

    private static func rules(_ facts: InterfaceFacts) -> [String] {
        InterfaceFeatures(facts).obstacles.map(\.rule)
    }

    @Test(
        "without the netdev family everything is unknown, and why",
        arguments: [nil, "bridge", "veth", "bond"])
    func withoutFamily(_ kind: String?) {
        let features = InterfaceFeatures(Self.facts(kind))

        #expect(features.native.reason == InterfaceFeatures.withoutFamily)
        for name in InterfaceFeatures.names { #expect(features.support(of: name)?.reason != nil, "\(name)") }
    }

    @Test("a driver that shows no bits has no native mode; a bond without ports is unknown")
    func noBits() {
        var ports = Self.facts("bond", bits: [])
        ports.ports = 2

        #expect(InterfaceFeatures(Self.facts(bits: [])).native == .unsupported)
        #expect(InterfaceFeatures(ports).native == .unsupported)
        #expect(
            InterfaceFeatures(Self.facts("bond", bits: [])).native.reason == InterfaceFeatures.withoutPorts)
        #expect(InterfaceFeatures(Self.facts("bond", bits: [], running: 3)).native == .supported)
    }

    @Test("each bit is one feature")
    func bits() {
        for feature in InterfaceFeatures.Feature.allCases {
            let features = InterfaceFeatures(Self.facts(bits: feature.bit))

            for other in InterfaceFeatures.Feature.allCases {
                #expect(features.features[other] == (other == feature ? .supported : .unsupported))
            }
        }
    }

    @Test("an older kernel that has the family does not know of hints")
    func olderFamily() {
        let features = InterfaceFeatures(Self.facts(bits: .basic))

        #expect(features.receiveMetadata[.hash]?.reason == InterfaceFeatures.withoutReceiveMetadata)
        #expect(features.transmitMetadata[.checksum]?.reason == InterfaceFeatures.withoutTransmitMetadata)
    }

    /// State of a veth's peer, and what follows where the kernel does not say.
    private static let peers: [(InterfacePeer?, Bool?, String)] = [
        (nil, nil, "unknown"),
        (InterfacePeer(name: "p", index: 8, nativeProgramID: 3, gro: false), nil, "yes"),
        (InterfacePeer(name: "p", index: 8, nativeProgramID: 3), nil, "yes"),
        (InterfacePeer(name: "p", index: 8, gro: false), nil, "no"),
        (InterfacePeer(name: "p", index: 8, gro: true), true, "yes"),
        (InterfacePeer(name: "p", index: 8, gro: true), false, "no"),
        (InterfacePeer(name: "p", index: 8, gro: true), nil, "unknown"),
        (InterfacePeer(name: "p", index: 8), nil, "unknown"),
    ]

    @Test(
        "the peer of a veth decides where the kernel does not say, and only as far as it can be seen",
        arguments: peers.indices)
    func peer(_ place: Int) {
        let (peer, groReceives, expected) = Self.peers[place]
        var facts = Self.facts("veth")
        facts.peer = peer
        facts.groReceives = groReceives

        let features = InterfaceFeatures(facts)

        #expect(features.features[.transmit]?.word == expected)
        #expect(features.obstacles.contains { $0.rule == "peer-napi" } == (expected == "no"))
        #expect(features.features[.redirect]?.word == "unknown")
    }

    @Test("what the kernel says of a veth counts more than the rule")
    func kernelFirst() {
        var facts = Self.facts("veth", bits: [.basic, .transmit])
        facts.peer = InterfacePeer(name: "p", index: 8, gro: false)

        #expect(InterfaceFeatures(facts).features[.transmit] == .supported)
    }

    @Test("a command for a peer elsewhere is one that works there")
    func elsewhere() {
        var facts = Self.facts("veth", bits: [.basic])
        func remedy(_ namespace: String?) -> String? {
            facts.peer = InterfacePeer(name: "p", index: 8, namespace: namespace, isElsewhere: true)
            return InterfaceFeatures(facts).obstacles.first { $0.rule == "peer-napi" }?.remedy
        }

        #expect(remedy("blue")?.hasPrefix("`ip netns exec blue ethtool -K p gro on`") == true)
        #expect(
            remedy("/proc/4/ns/net")?.hasPrefix("`nsenter --net=/proc/4/ns/net ethtool -K p gro on`") == true)
        #expect(remedy(nil)?.contains("in the peer's namespace") == true)
    }

    @Test("offloads that join packets stand in the way while they are on")
    func joining() {
        var facts = Self.facts(bits: [.basic, .transmit])
        facts.offloads = Self.offloads(on: ["rx-lro", "rx-gro-hw"])
        #expect(Self.rules(facts) == ["lro", "gro-hw"])

        facts.offloads = Self.offloads(off: ["rx-lro", "rx-gro-hw"])
        #expect(Self.rules(facts) == [])
        #expect(InterfaceFeatures(facts).offloads == ["rx-lro": false, "rx-gro-hw": false])
    }

    @Test(
        "queues are too few where there cannot be another one for each processor",
        arguments: [(4, true), (3, true), (2, false)])
    func queues(_ processors: Int, _ isObstacle: Bool) {
        var facts = Self.facts(bits: [.basic, .transmit])
        facts.processors = processors
        facts.channels = Channels(Attributes([]))
        facts.channels?.combined = 2
        facts.channels?.maximumCombined = 4

        #expect(Self.rules(facts) == (isObstacle ? ["queues"] : []))
    }

    @Test("an interface that has no native mode has no obstacles")
    func nothingToHelp() {
        var facts = Self.facts(bits: [])
        facts.offloads = Self.offloads(on: ["rx-lro"])
        facts.link.flags = []

        #expect(Self.rules(facts) == [])
    }

    @Test("a probe that was taken makes the native mode known")
    func probeTaken() {
        var facts = Self.facts()
        facts.probe = ProbeOutcome(largestMTU: 3506)

        let features = InterfaceFeatures(facts)

        #expect(features.native == .supported && features.features[.basic] == .supported)
        #expect(features.singleBuffer == .init(atPresentMTU: .supported, largestMTU: 3506))
        #expect(features.features[.redirect]?.reason != nil)
    }

    @Test("the kernel's refusal is no native mode; a driver's is one that does not work now")
    func probeRefused() {
        var facts = Self.facts()
        let kernel = "Underlying driver does not support XDP in native mode"
        facts.probe = ProbeOutcome(singleBuffer: .init(errno: .notSupportedOnSocket, kernelMessage: kernel))
        #expect(InterfaceFeatures(facts).native == .unsupported)

        facts.probe = ProbeOutcome(
            singleBuffer: .init(errno: .notSupportedOnSocket, kernelMessage: "MTU too large for XDP"),
            takesFragments: false)
        #expect(InterfaceFeatures(facts).native.reason?.contains("MTU too large for XDP") == true)
        #expect(Self.rules(facts) == ["mtu"])

        facts.probe = ProbeOutcome(
            singleBuffer: .init(errno: .invalidArgument, kernelMessage: "disable LRO first"),
            takesFragments: false)
        #expect(Self.rules(facts) == ["refused"])

        facts.probe = ProbeOutcome(singleBuffer: .init(errno: .outOfRange), takesFragments: true)
        #expect(InterfaceFeatures(facts).native == .supported)
        #expect(InterfaceFeatures(facts).obstacles.map(\.severity) == [.warning])
    }

    @Test("what a probe saw of redirection is what the note says")
    func probeTransmit() {
        var facts = Self.facts(bits: [.basic])
        facts.probe = ProbeOutcome(whileRunning: [.basic, .transmit])
        let can = InterfaceFeatures(facts).obstacles.first { $0.rule == "no-transmit" }
        facts.probe = ProbeOutcome(whileRunning: [.basic])
        let cannot = InterfaceFeatures(facts).obstacles.first { $0.rule == "no-transmit" }

        #expect(can?.remedy?.contains("Load any program") == true)
        #expect(cannot != nil && cannot?.remedy == nil)
    }

    @Test("changes are told by name, from what to what; another reason for not knowing is none")
    func changes() {
        let before = InterfaceFeatures(Self.facts(bits: [.basic]))
        var after = InterfaceFeatures(Self.facts(bits: [.basic, .transmit]))
        after.mtu = 9000
        after.offloads = ["rx-gro": true]

        #expect(
            after.changes(since: before) == [
                FeatureChange(what: "ndo-xmit", before: "no", after: "yes"),
                FeatureChange(what: "mtu", before: "1500", after: "9000"),
                FeatureChange(what: "rx-gro", before: nil, after: "on"),
            ])
        #expect(
            InterfaceFeatures(name: "x", index: 1, unknown: "a")
                .changes(since: .init(name: "x", index: 1, unknown: "b")).isEmpty)
    }

    @Test("every name has an answer, and no other")
    func names() {
        let features = InterfaceFeatures(name: "x", index: 1, unknown: "asleep")

        #expect(Set(InterfaceFeatures.names).count == 14)
        for name in InterfaceFeatures.names { #expect(features.support(of: name) == .unknown("asleep")) }
        #expect(features.support(of: "xmit") == nil)
    }
}

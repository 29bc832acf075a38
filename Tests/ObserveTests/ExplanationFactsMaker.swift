// SPDX-License-Identifier: Apache-2.0
import BPF
import Observe
import XDP

/// Made-up facts: of a card on which nothing is wrong, to be changed in one place.
enum MadeUp {
    static func features(_ change: (inout InterfaceFeatures) -> Void = { _ in }) -> InterfaceFeatures {
        var features = InterfaceFeatures(name: "eth0", index: 2, unknown: "made up")
        features.isUp = true
        features.mtu = 1500
        features.native = .supported
        for feature in InterfaceFeatures.Feature.allCases { features.features[feature] = .supported }
        features.driver = InterfaceFeatures.Driver(name: "ixgbe")
        change(&features)
        return features
    }

    static func sample(
        stack: [String: UInt64] = [:], driver: [String: UInt64] = [:]
    ) -> InterfaceSample {
        func named(_ values: [String: UInt64]) -> [InterfaceSample.Named] {
            values.sorted { $0.key < $1.key }.map { InterfaceSample.Named(name: $0.key, value: $0.value) }
        }
        return InterfaceSample(
            time: 0, interface: "eth0", index: 2, driver: "ixgbe", stack: named(stack),
            driverCounters: named(driver))
    }

    /// A chain with one member that passed everything, of ten seconds.
    static func facts(
        stack: [String: UInt64] = ["rx_packets": 1000], driver: [String: UInt64] = [:],
        features: InterfaceFeatures = features(), _ change: (inout ExplanationFacts) -> Void = { _ in }
    ) -> ExplanationFacts {
        var facts = ExplanationFacts(
            interface: "eth0", index: 2, seconds: 10, features: features,
            before: sample(
                stack: stack.mapValues { _ in 0 }, driver: driver.mapValues { _ in 0 }),
            after: sample(stack: stack, driver: driver))
        facts.program = program([.pass: 1000])
        facts.events = .known([])
        facts.processors = [SoftirqLoad.Processor(number: 0, softirq: 0.05, idle: 0.9)]
        change(&facts)
        return facts
    }

    static func program(
        _ packets: [Verdict: UInt64]?, name: String = "ids", mode: AttachMode = .native,
        redirects: [RunningChecks.Redirect] = [], isChain: Bool = true
    ) -> ProgramFacts {
        let counted = packets.map { packets in
            Dictionary(uniqueKeysWithValues: Verdict.allCases.map { ($0, packets[$0] ?? 0) })
        }
        let code = RunningChecks.Member(name: name, ends: Set(Verdict.allCases), redirects: redirects)
        return ProgramFacts(
            programIDs: [77], mode: mode, isChain: isChain, supportsFrags: false,
            members: [ProgramFacts.Member(name: name, code: code, packets: counted)])
    }

    static func event(
        _ kind: XDPEvent.Kind, count: UInt64 = 1, dropped: UInt64 = 0, program: UInt32 = 77,
        target: UInt32 = 0,
        error: Int32 = 0, verdict: UInt32 = 0, interface: UInt32 = 2, namespace: UInt32 = 0
    ) -> XDPEvent {
        XDPEvent(
            key: XDPEvent.Key(
                kind: kind, program: program, interface: interface, namespace: namespace, target: target,
                error: error, verdict: verdict),
            time: 0, count: count, dropped: dropped)
    }

    /// The hypotheses that apply.
    static func blamed(_ facts: ExplanationFacts) -> [String] {
        Explanation(facts).findings.map(\.hypothesis)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Observe
import XDP

/// What `stats` prints. Documentation/json.md describes the fields.
struct StatsOutput: Encodable {
    let format = 1
    /// Of what rates and sums are: seconds between the two looks; missing where there was one.
    let seconds: Double?
    let interfaces: [InterfaceOutput]

    enum CodingKeys: String, CodingKey {
        case format, seconds, interfaces
    }

    /// - Parameter earlier: the look before; nil makes sums of all that was ever counted.
    init(_ samples: [InterfaceSample], since earlier: [InterfaceSample]?) {
        let before = Dictionary(
            (earlier ?? []).map { ($0.index, $0) }, uniquingKeysWith: { first, _ in first })
        interfaces = samples.map { InterfaceOutput($0, since: before[$0.index]) }
        seconds = interfaces.compactMap(\.seconds).max().map { ($0 * 1000).rounded() / 1000 }
    }
}

/// One interface.
struct InterfaceOutput: Encodable {
    struct VerdictOutput: Encodable {
        let verdict: String
        /// Whether packets with it leave the chain here.
        let leaves: Bool
        let packets: UInt64
        let bytes: UInt64?
        let packetsPerSecond: Double?
        let bytesPerSecond: Double?
    }

    struct MemberOutput: Encodable {
        let name: String
        let isFilter: Bool
        let verdicts: [VerdictOutput]
        let unknownVerdicts: UInt64
        let missedPackets: UInt64
    }

    struct CounterOutput: Encodable {
        let name: String
        let value: UInt64
        let perSecond: Double?
        /// What it counts of XDP, in the words that are the same for all drivers.
        let role: String?
    }

    struct QueueOutput: Encodable {
        let number: UInt32
        let direction: String
        let counters: [CounterOutput]
    }

    let name: String
    let index: UInt32
    let driver: String?
    let mode: String?
    let programID: UInt32?
    let change: UInt64?
    let counters: String?
    let members: [MemberOutput]?
    let stack: [CounterOutput]
    let driverCounters: [CounterOutput]
    let queues: [QueueOutput]
    let reconciliation: ReconciliationOutput
    /// Since the look before.
    let seconds: Double?

    enum CodingKeys: String, CodingKey {
        case name, index, driver, mode
        case programID = "programId"
        case change, counters, members, stack, driverCounters, queues, reconciliation
    }

    init(_ sample: InterfaceSample, since earlier: InterfaceSample?) {
        let difference = earlier.map { SampleDifference(from: $0, to: sample) }
        let meanwhile = difference?.counted
        let passed = difference.map { max($0.seconds, 0.001) }
        func rate(_ value: UInt64?) -> Double? {
            guard let passed, let value else { return nil }
            return (Double(value) / passed * 10).rounded() / 10
        }
        func outputs(
            _ counters: [InterfaceSample.Named], _ meanwhile: [InterfaceSample.Named]?,
            driver: String? = nil
        ) -> [CounterOutput] {
            counters.enumerated().map { place, counter in
                let counted = meanwhile.flatMap { $0.indices.contains(place) ? $0[place].value : nil }
                return CounterOutput(
                    name: counter.name, value: counter.value, perSecond: rate(counted),
                    role: driver.flatMap { DriverProfile.meaning(of: counter.name, driver: $0) }?.role
                        .rawValue)
            }
        }
        name = sample.interface
        index = sample.index
        driver = sample.driver.isEmpty ? nil : sample.driver
        mode = sample.mode?.rawValue
        programID = sample.programID
        change = sample.generation
        counters = sample.counting?.rawValue
        let countsBytes = sample.counting == .bytes
        members = sample.members?.map { member in
            let counted = meanwhile?.member(member.name)?.counters
            return MemberOutput(
                name: member.name, isFilter: member.isFilter,
                verdicts: Verdict.allCases.map { verdict in
                    let counter = member.counters[verdict]
                    return VerdictOutput(
                        verdict: verdict.description, leaves: member.endings.contains(verdict),
                        packets: counter.packets, bytes: countsBytes ? counter.bytes : nil,
                        packetsPerSecond: rate(counted?[verdict].packets),
                        bytesPerSecond: countsBytes ? rate(counted?[verdict].bytes) : nil)
                },
                unknownVerdicts: member.counters.unknown.packets,
                missedPackets: member.counters.missed.packets)
        }
        stack = outputs(sample.stack, meanwhile?.stack)
        driverCounters = outputs(
            sample.driverCounters, meanwhile?.driverCounters, driver: sample.driver)
        queues = sample.queues.enumerated().map { place, queue in
            let counted = meanwhile.flatMap { $0.queues.indices.contains(place) ? $0.queues[place] : nil }
            return QueueOutput(
                number: queue.number, direction: queue.receives ? "receive" : "transmit",
                counters: outputs(queue.counters, counted?.counters))
        }
        reconciliation = ReconciliationOutput(sample, difference)
        seconds = difference?.seconds
    }
}

/// Whether the numbers of all sides are the same packets.
struct ReconciliationOutput: Encodable {
    struct CheckOutput: Encodable {
        let counters: String
        let value: UInt64
        let packets: String
        let expected: UInt64
        let result: String
        let explanations: [String]
    }

    struct LeftOutput: Encodable {
        let aborted: UInt64
        let drop: UInt64
        let pass: UInt64
        let tx: UInt64
        let redirect: UInt64
    }

    /// "interval", or "all" where there was one look: then everything that was ever counted is compared.
    let of: String
    /// Missing where nothing can be compared.
    let addsUp: Bool?
    let entered: UInt64?
    let left: LeftOutput?
    let checks: [CheckOutput]
    let limits: [String]
    let neverSeen: [InterfaceOutput.CounterOutput]

    init(_ sample: InterfaceSample, _ difference: SampleDifference?) {
        var found: Reconciliation
        if let difference {
            of = "interval"
            found = Reconciliation(difference)
        } else {
            of = "all"
            var nothing = InterfaceSample(time: 0, interface: sample.interface, index: sample.index)
            nothing.programID = sample.programID
            nothing.members = sample.members.map { _ in [] }
            found = Reconciliation(SampleDifference(from: nothing, to: sample))
            // All began at zero; that is what was asked for.
            found.limits.removeAll { $0.hasSuffix("joined the chain meanwhile") }
        }
        let limit = difference == nil ? Self.leaveOutThePast(of: sample, &found) : nil
        if let limit { found.limits.append(limit) }
        addsUp = limit != nil && found.addsUp == true ? nil : found.addsUp
        entered = found.outcome?.entered
        left = found.outcome.map {
            LeftOutput(
                aborted: $0[.aborted], drop: $0[.drop], pass: $0[.pass], tx: $0[.tx], redirect: $0[.redirect])
        }
        checks = found.checks.map {
            CheckOutput(
                counters: $0.counters, value: $0.value, packets: $0.packets, expected: $0.expected,
                result: $0.result.rawValue, explanations: $0.explanations)
        }
        limits = found.limits
        neverSeen = found.neverSeen.map { .init(name: $0.name, value: $0.value, perSecond: nil, role: nil) }
    }

    /// Takes out differences that nothing can be said of where everything that was ever counted is compared, and says why:
    /// an interface counts since it was made, a chain since it was loaded, and ways out of it may have been others.
    private static func leaveOutThePast(
        of sample: InterfaceSample, _ found: inout Reconciliation
    ) -> String? {
        let wasChanged = (sample.generation ?? 1) > 1
        let before = found.checks.count
        found.checks.removeAll { check in
            switch check.result {
            case .equal, .inFlight: false
            // The explanation would be one of few packets too many, not of all that came before.
            case .open, .explained: wasChanged || check.value > check.expected
            }
        }
        guard found.checks.count < before else { return nil }
        return wasChanged
            ? "the chain was changed since it was loaded, and its interface may be older: `--for 2s` compares what "
                + "comes from now on"
            : "the interface counted packets before the chain did: `--for 2s` compares what comes from now on"
    }
}

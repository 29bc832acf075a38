// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// Whether what the driver, the chain and the stack counted are the same packets.
///
/// A pure function of a difference of two samples. Which sums must agree depends on the driver (``DriverProfile``) and on the mode:
/// in generic mode drivers know nothing of programs, and count packets before those see them.
public struct Reconciliation: Sendable, Hashable {
    /// Two sums that have to be equal, and whether they are.
    public struct Check: Sendable, Hashable {
        /// What was added up on the side of driver and stack: "rx_packets + rx_dropped".
        public var counters: String
        public var value: UInt64
        /// What in the chain it has to be: "drop + aborted".
        public var packets: String
        public var expected: UInt64
        public var result: Result
        /// What the difference is, or may be: a sentence each.
        public var explanations: [String] = []

        public var remainder: Int64 { Int64(truncatingIfNeeded: value &- expected) }
    }

    public enum Result: String, Sendable, Hashable, Codable {
        case equal
        /// The difference is no more than what came while the samples were taken.
        case inFlight = "in-flight"
        /// The difference is what another counter has, or what the driver counts there, too.
        case explained
        case open
    }

    /// How packets left the chain; nil where nothing is counted.
    public var outcome: ChainOutcome?
    public var checks: [Check] = []
    /// Sums that cannot be compared here, and why; sentences.
    public var limits: [String] = []
    /// Packets that came to the interface and never met the chain, by the counter that says so.
    public var neverSeen: [InterfaceSample.Named] = []

    /// Whether it is known how all packets could leave the chain: while it was changed some may have left by ways that are gone.
    private var knowsAllWays = true

    /// Whether no difference is left unexplained; nil where nothing could be compared, and where there is a difference and the
    /// chain was changed meanwhile.
    public var addsUp: Bool? {
        if checks.isEmpty { return nil }
        if !checks.contains(where: { $0.result == .open }) { return true }
        return knowsAllWays ? false : nil
    }

    public init(_ difference: SampleDifference) {
        let sample = difference.counted
        limits = difference.remarks
        knowsAllWays = difference.isSameChain
        guard sample.mode != nil else {
            limits.append("no program is attached")
            return
        }
        guard let outcome = ChainOutcome(sample) else {
            limits.append(Self.reasonForNothing(sample))
            return
        }
        self.outcome = outcome
        let tolerance = sample.uncertainty == 0 ? 0 : sample.uncertainty &+ Self.batch
        check("packets that left the chain", outcome.sum, "that entered it", outcome.entered, tolerance)
        let profile = DriverProfile.of(sample.driver)
        let explained = ExplainedCounters(sample.driverCounters, of: sample.driver)
        neverSeen = Self.neverSeen(sample, explained)
        switch sample.mode {
        case .generic?: compareGeneric(sample, outcome, tolerance)
        case .native?: compareNative(sample, profile, explained, outcome, tolerance)
        default: limits.append("a program on the card is counted by the card")
        }
    }

    /// Drivers add to their own counters after up to so many packets.
    private static let batch: UInt64 = 64

    private static func reasonForNothing(_ sample: InterfaceSample) -> String {
        guard let counting = sample.counting else { return "the program is not a chain of xdpctl" }
        if counting == .off {
            return "the chain counts nothing: `xdpctl counters \(sample.interface) bytes` switches it on"
        }
        return "the chain has no members that count"
    }

    // MARK: - Modes

    private mutating func compareNative(
        _ sample: InterfaceSample, _ profile: DriverProfile?, _ explained: ExplainedCounters,
        _ outcome: ChainOutcome, _ tolerance: UInt64
    ) {
        guard let profile else {
            let name = sample.driver.isEmpty ? "a driver without a name" : "the driver \(sample.driver)"
            limits.append("what \(name) counts of XDP is not known")
            return
        }
        for equation in profile.equations {
            var names: [String] = []
            var value: UInt64 = 0
            var isKnown = true
            for role in equation.roles {
                guard let sum = explained.sum(role) else {
                    // A driver may have counters only from some version on.
                    isKnown = isKnown && role != equation.roles.first
                    continue
                }
                value &+= sum
                names += explained.names(of: role)
            }
            for name in equation.stack {
                guard let counter = sample.stackCounter(name) else { continue }
                value &+= counter
                names.append(name)
            }
            guard isKnown, !names.isEmpty else {
                limits.append("\(sample.driver) does not count \(Self.packets(equation.outcomes))")
                continue
            }
            func packets(_ outcomes: [DriverProfile.Outcome]) -> UInt64 {
                outcomes.reduce(0) { $0 &+ outcome[$1] }
            }
            check(
                names.joined(separator: " + "), value, Self.packets(equation.outcomes),
                packets(equation.outcomes), tolerance,
                surplus: equation.surplus.map { ($0.words, packets($0.atMost)) })
        }
        if sample.driver == "tun" { compareTAP(sample, outcome) }
        switch profile.received {
        case .all where !profile.equations.contains { $0.stack.contains("rx_packets") }:
            compareReceived(sample, outcome.entered, "all packets", tolerance)
        case .unknown:
            limits.append(
                "whether rx_packets of \(sample.driver) has what programs drop is not known")
        case .all, .passed: break
        }
    }

    /// Kernels until 6.7 do not count what is sent back or redirected; with blocking writers drops are not counted either. So
    /// less than expected is no contradiction as long as it is one of these sums.
    private mutating func compareTAP(_ sample: InterfaceSample, _ outcome: ChainOutcome) {
        guard let place = checks.firstIndex(where: { $0.counters.hasPrefix("rx_packets") }),
            checks[place].result == .open, checks[place].value < checks[place].expected
        else { return }
        let missing = checks[place].expected - checks[place].value
        let gone = outcome[.tx] &+ outcome[.redirect]
        let dropped = outcome[.drop] &+ outcome[.aborted]
        if missing <= gone, missing > 0, missing != dropped {
            checks[place].explain("this kernel does not count what is sent back or redirected")
        } else if missing <= gone &+ dropped {
            checks[place].explain(
                "the process that writes to the interface does so in a way (a blocking descriptor, or NAPI) in which "
                    + "the kernel does not count what programs drop, send back or redirect")
        }
    }

    private mutating func compareGeneric(
        _ sample: InterfaceSample, _ outcome: ChainOutcome, _ tolerance: UInt64
    ) {
        limits.append("in generic mode the driver does not know of the program, and counts packets before it")
        compareReceived(sample, outcome.entered, "packets that entered the chain", tolerance)
        guard let place = checks.indices.last, checks[place].result == .open, checks[place].remainder > 0
        else {
            return
        }
        if sample.hasReceiveOffload == true {
            checks[place].explain(
                "GRO is on, and joins packets before a program in generic mode sees them (ethtool -K "
                    + "\(sample.interface) gro off)")
        } else {
            checks[place].explanations.append(
                "packets may have been dropped between driver and program: see column 2 of /proc/net/softnet_stat"
            )
        }
    }

    private mutating func compareReceived(
        _ sample: InterfaceSample, _ expected: UInt64, _ packets: String, _ tolerance: UInt64
    ) {
        guard let received = sample.stackCounter("rx_packets") else { return }
        check("rx_packets", received, packets, expected, tolerance)
    }

    // MARK: - Checks

    private mutating func check(
        _ counters: String, _ value: UInt64, _ packets: String, _ expected: UInt64, _ tolerance: UInt64,
        surplus: (words: String, atMost: UInt64)? = nil
    ) {
        var check = Check(
            counters: counters, value: value, packets: packets, expected: expected, result: .open)
        let difference = value > expected ? value - expected : expected - value
        if difference == 0 {
            check.result = .equal
        } else if difference <= tolerance {
            check.result = .inFlight
        } else if value > expected, let surplus, difference <= surplus.atMost {
            check.explain("the rest may be \(surplus.words)")
        } else if let exact = neverSeen.first(where: { $0.value == difference }), value > expected {
            check.explain("\(exact.name) has as many: packets that no program saw")
        }
        if check.result == .open, value > expected, !neverSeen.isEmpty {
            let names = neverSeen.map { "\($0.name) \($0.value)" }.joined(separator: ", ")
            check.explanations.append("some packets met no program: \(names)")
        }
        checks.append(check)
    }

    /// Counters of the driver and the stack for packets that met no program.
    private static func neverSeen(
        _ sample: InterfaceSample, _ explained: ExplainedCounters
    ) -> [InterfaceSample.Named] {
        let own = explained.counters(.neverSeen)
        let stack = sample.stack.filter {
            ["rx_missed_errors", "rx_fifo_errors", "rx_over_errors"].contains($0.name)
        }
        let names = Set(own.map(\.name))
        return (own + stack.filter { !names.contains($0.name) }).filter { $0.value > 0 }
    }

    private static func packets(_ outcomes: [DriverProfile.Outcome]) -> String {
        outcomes.map { outcome in
            switch outcome {
            case .all: "packets that entered the chain"
            case .pass: "pass"
            case .drop: "drop"
            case .aborted: "aborted"
            case .tx: "tx"
            case .redirect: "redirect"
            }
        }.joined(separator: " + ")
    }
}

extension Reconciliation.Check {
    fileprivate mutating func explain(_ sentence: String) {
        result = .explained
        explanations.append(sentence)
    }
}

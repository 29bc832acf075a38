// SPDX-License-Identifier: Apache-2.0
import BPF
import Observe
import TestSupport
import Testing
import XDP

/// Whether sums of all sides are held against each other as they have to be.
@Suite("Reconciliation")
struct ReconciliationTests {
    private static func counters(_ packets: [Verdict: UInt64], unknown: UInt64 = 0, missed: UInt64 = 0)
        -> MemberCounters
    {
        var counters = MemberCounters()
        for (verdict, count) in packets {
            counters.values[Int(verdict.rawValue)] = Counter(packets: count, bytes: count * 60)
        }
        counters.values[5].packets = unknown
        counters.values[6].packets = missed
        return counters
    }

    private static func member(_ name: String, _ counters: MemberCounters, isLast: Bool)
        -> InterfaceSample.Member
    {
        var member = InterfaceSample.Member(name: name, counters: counters)
        member.endings = isLast ? Set(Verdict.allCases) : [.aborted, .drop, .tx, .redirect]
        member.counterSlot = isLast ? 1 : 0
        return member
    }

    /// Two members, of which the second one gets what the first one passes.
    private static func sample(
        driver: String = "veth", mode: AttachMode = .native, first: [Verdict: UInt64] = [:],
        second: [Verdict: UInt64] = [:], unknown: UInt64 = 0, stack: [String: UInt64] = [:],
        own: [String: UInt64] = [:], time: UInt64 = 1_000_000_000
    ) -> InterfaceSample {
        var sample = InterfaceSample(time: time, interface: "eth0", index: 4, driver: driver)
        sample.mode = mode
        sample.programID = 7
        sample.counting = .bytes
        sample.members = [
            member("ids", counters(first), isLast: false),
            member("lb", counters(second, unknown: unknown), isLast: true),
        ]
        sample.stack = stack.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) }
        sample.driverCounters = own.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: $0.value) }
        return sample
    }

    private static func reconcile(_ sample: InterfaceSample) -> Reconciliation {
        var nothing = sample
        nothing.time = 0
        nothing.members = sample.members?.map {
            var member = $0
            member.counters = MemberCounters()
            return member
        }
        nothing.stack = sample.stack.map { .init(name: $0.name, value: 0) }
        nothing.driverCounters = sample.driverCounters.map { .init(name: $0.name, value: 0) }
        nothing.uncertainty = 0
        return Reconciliation(SampleDifference(from: nothing, to: sample))
    }

    private static let veth: [String: UInt64] = [
        "rx_queue_0_xdp_packets": 20, "rx_queue_0_xdp_drops": 9, "rx_queue_0_xdp_tx": 2,
        "rx_queue_0_xdp_tx_errors": 0, "rx_queue_0_xdp_redirect": 1, "rx_queue_0_drops": 1,
    ]

    @Test("packets that leave by different ways add up with what a veth counts")
    func veth() {
        let sample = Self.sample(
            first: [.pass: 14, .drop: 6], second: [.pass: 7, .drop: 1, .tx: 2, .redirect: 2, .aborted: 1],
            unknown: 1, stack: ["rx_packets": 20], own: Self.veth)

        let found = Self.reconcile(sample)

        #expect(found.addsUp == true && found.limits.isEmpty, "\(found)")
        #expect(found.outcome?.entered == 20 && found.outcome?[.aborted] == 2 && found.outcome?[.drop] == 7)
        #expect(found.checks.allSatisfy { $0.result == .equal } && found.checks.count == 5, "\(found.checks)")
    }

    @Test("a packet too many is told, and where it may be")
    func tooMany() throws {
        var sample = Self.sample(
            first: [.pass: 14, .drop: 6], second: [.pass: 7, .drop: 1, .tx: 2, .redirect: 2, .aborted: 1],
            unknown: 1, stack: ["rx_packets": 20], own: Self.veth)
        sample.driverCounters[2].value += 3
        #expect(sample.driverCounters[2].name == "rx_queue_0_xdp_packets")

        let found = Self.reconcile(sample)

        let check = try #require(found.checks.first { $0.result != .equal })
        #expect(found.addsUp == false && check.result == .open && check.remainder == 3)
        #expect(
            check.counters == "rx_queue_*_xdp_packets" && check.packets == "packets that entered the chain")

        sample.uncertainty = 1
        #expect(Self.reconcile(sample).addsUp == true, "packets flow")
    }

    @Test("packets that met no program explain what is missing in the chain")
    func neverSeen() throws {
        let sample = Self.sample(
            driver: "igb", first: [.drop: 10], stack: ["rx_packets": 13, "rx_missed_errors": 3])

        let found = Self.reconcile(sample)

        #expect(found.addsUp == true && found.neverSeen == [.init(name: "rx_missed_errors", value: 3)])
        #expect(found.checks.last?.result == .explained)
    }

    @Test("in generic mode GRO explains more packets than the program saw, and nothing else does")
    func generic() {
        var sample = Self.sample(mode: .generic, first: [.drop: 10], stack: ["rx_packets": 13])
        #expect(Self.reconcile(sample).addsUp == false)
        sample.hasReceiveOffload = true
        #expect(Self.reconcile(sample).addsUp == true)
        sample.stack = [.init(name: "rx_packets", value: 9)]
        #expect(Self.reconcile(sample).addsUp == false)
    }

    @Test(
        "a TAP device counts drops by rx_dropped, and less than all where the kernel is older or the writer waits"
    )
    func tap() {
        func found(_ packets: UInt64, _ dropped: UInt64) -> Reconciliation {
            Self.reconcile(
                Self.sample(
                    driver: "tun", first: [.pass: 10, .drop: 6], second: [.pass: 7, .tx: 3],
                    stack: ["rx_packets": packets, "rx_dropped": dropped]))
        }
        #expect(found(10, 6).checks.last?.result == .equal)
        #expect(found(7, 6).checks.last?.result == .explained)
        #expect(found(7, 0).checks.last?.result == .explained)
        #expect(found(6, 0).addsUp == false)
        // Of seven packets that were passed no more than seven can have been unwanted.
        #expect(found(10, 13).checks.last?.result == .explained)
        #expect(found(10, 14).addsUp == false)
        for value in [1 << 63, 1 << 63 + 16, .max] as [UInt64] { #expect(found(value, 0).addsUp == false) }
    }

    @Test("what differs while the chain was changed is neither right nor wrong")
    func changed() {
        let sample = Self.sample(first: [.drop: 10], stack: ["rx_packets": 12])
        func found(_ earlier: UInt32, packets: UInt64) -> Reconciliation {
            var before = Self.sample(stack: ["rx_packets": 0], time: 0)
            before.programID = earlier
            var after = sample
            after.stack = [.init(name: "rx_packets", value: packets)]
            return Reconciliation(SampleDifference(from: before, to: after))
        }
        #expect(found(7, packets: 12).addsUp == false && found(7, packets: 10).addsUp == true)
        #expect(found(8, packets: 12).addsUp == nil && found(8, packets: 10).addsUp == true)
        #expect(found(8, packets: 12).limits.contains("the chain was changed meanwhile"))
    }

    @Test("where nothing can be compared it says why")
    func limits() {
        var sample = Self.sample(driver: "unheard_of", first: [.drop: 1])
        #expect(Self.reconcile(sample).limits == ["what the driver unheard_of counts of XDP is not known"])
        sample.members = nil
        sample.counting = .off
        #expect(Self.reconcile(sample).addsUp == nil)
        #expect(Self.reconcile(sample).limits.first?.contains("xdpctl counters eth0 bytes") == true)
        sample.counting = nil
        #expect(Self.reconcile(sample).limits == ["the program is not a chain of xdpctl"])
        sample.mode = nil
        #expect(Self.reconcile(sample).limits == ["no program is attached"])
    }

    @Test("counters that begin anew, and members that join, are said and never become huge")
    func beginnings() {
        let old = Self.sample(first: [.drop: 10], stack: ["rx_packets": 100], own: ["rx_queue_0_drops": 5])
        var new = Self.sample(
            first: [.drop: 12], stack: ["rx_packets": 7],
            own: ["rx_queue_0_drops": 5, "rx_queue_1_drops": 2],
            time: 3_000_000_000)
        new.members?.append(Self.member("late", Self.counters([.pass: 4]), isLast: true))
        new.programID = 8

        let difference = SampleDifference(from: old, to: new)

        #expect(difference.seconds == 2 && !difference.isSameChain)
        #expect(difference.counted.stackCounter("rx_packets") == 7)
        #expect(difference.counted.driverCounter("rx_queue_0_drops") == 0)
        #expect(difference.counted.driverCounter("rx_queue_1_drops") == 2)
        #expect(difference.counted.member("ids")?.counters[.drop].packets == 2)
        #expect(difference.counted.member("late")?.counters[.pass].packets == 4)
        #expect(
            difference.remarks == [
                "the stack began to count rx_packets anew meanwhile", "late joined the chain meanwhile",
                "the chain was changed meanwhile",
            ])
    }
}

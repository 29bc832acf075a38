// SPDX-License-Identifier: Apache-2.0
import Observe
import Testing
import XDP

/// The edges of hypotheses, by made-up facts. That each finds a fault that is there is tested on the kernel.
@Suite("Hypotheses")
struct HypothesisTests {
    @Test("names can be typed, each is there once, and each asks something")
    func names() {
        let names = Hypothesis.all.map(\.name)
        #expect(Set(names).count == names.count && names.count > 20)
        for hypothesis in Hypothesis.all {
            #expect(hypothesis.name.allSatisfy { $0.isLetter && $0.isLowercase || $0 == "-" })
            #expect(hypothesis.question.hasSuffix("?"))
        }
    }

    @Test("of a card on which nothing is wrong every hypothesis is ruled out, with a reason")
    func healthy() {
        let explanation = Explanation(MadeUp.facts())
        #expect(explanation.isHealthy && explanation.unknown.isEmpty, "\(explanation.unknown)")
        #expect(explanation.ruledOut.map(\.hypothesis) == Hypothesis.all.map(\.name))
        #expect(explanation.ruledOut.allSatisfy { !$0.reason.isEmpty })
    }

    @Test("without a program nothing of XDP is blamed")
    func withoutProgram() {
        let facts = MadeUp.facts { $0.program = nil }
        #expect(MadeUp.blamed(facts).isEmpty)
        #expect(Explanation(facts).ledger.entries == [PacketLedger.Entry(.stack, packets: 1000)])
    }

    @Test("what explains most packets comes first, and what cannot be counted before it")
    func order() {
        let facts = MadeUp.facts(driver: ["rx_missed_errors": 7]) { facts in
            facts.program = MadeUp.program([.drop: 900, .aborted: 50, .pass: 50])
        }
        #expect(MadeUp.blamed(facts) == ["member-drops", "aborted", "ring-full"])
        let down = MadeUp.facts(features: MadeUp.features { $0.isUp = false }) {
            $0.program = MadeUp.program([.drop: 5])
        }
        #expect(MadeUp.blamed(down) == ["no-link", "member-drops"])
    }

    @Test("a loss is before a cost, and that before a risk")
    func effects() {
        let features = MadeUp.features {
            $0.offloads = ["rx-lro": true]
        }
        let facts = MadeUp.facts(features: features) {
            $0.program = MadeUp.program([.drop: 1, .pass: 9], mode: .generic)
        }
        #expect(Explanation(facts).findings.map(\.effect) == [.loss, .cost, .risk])
        #expect(MadeUp.blamed(facts) == ["member-drops", "generic-mode", "joined-packets"])
    }

    @Test(
        "drivers' names of packets that found no room",
        arguments: [
            ("rx_missed_errors", "ring-full"), ("rx_queue_0_drops", nil), ("rx_no_buffer_count", "ring-full"),
            ("rx_out_of_buffer", "ring-full"), ("rx0_xdp_drops", nil), ("port.rx_dropped", "ring-full"),
            ("rx_discards_phy", "ring-full"), ("tx_dropped", nil), ("rx_length_errors", "too-long"),
            ("rx_oversize_pkts_phy", "too-long"),
        ])
    func driverCounters(_ row: (name: String, hypothesis: String?)) {
        #expect(MadeUp.blamed(MadeUp.facts(driver: [row.name: 5])) == [row.hypothesis].compactMap { $0 })
    }

    @Test("what a driver counts of each queue and of all together is taken once")
    func queues() {
        let names: [(driver: String, counters: [String: UInt64])] = [
            (
                "virtio_net",
                [
                    "rx_xdp_packets": 9, "rx0_xdp_packets": 4, "rx1_xdp_packets": 5, "rx_xdp_drops": 3,
                    "rx0_xdp_drops": 1, "rx1_xdp_drops": 2, "tx_xdp_tx_drops": 2, "tx0_xdp_tx_drops": 2,
                ]
            ),
            (
                "unheard_of",
                [
                    "rx_queue_0_xdp_packets": 4, "rx_queue_1_xdp_packets": 5, "rx_xdp_drop": 3,
                    "rx0_xdp_drop": 3, "rx_xdp_tx_errors": 2,
                ]
            ),
        ]
        for (driver, counters) in names {
            let facts = MadeUp.facts(
                driver: counters, features: MadeUp.features { $0.driver = .init(name: driver) }
            ) { $0.program = MadeUp.program([.tx: 7]) }
            #expect(facts.xdpPacketsOfDriver == 9 && facts.xdpDropsOfDriver == 3, "\(driver)")
            #expect(facts.failedTransmits == 2, "\(driver)")
        }
        #expect(MadeUp.facts().xdpDropsOfDriver == nil)
    }

    @Test("packets that queues had no room for are added up")
    func ringsOfQueues() {
        let facts = MadeUp.facts(
            driver: ["[0]: rx_discards": 4, "[1]: rx_discards": 5],
            features: MadeUp.features { $0.driver = .init(name: "bnxt_en") })
        #expect(Explanation(facts).findings.first?.packets == 9)
        #expect(
            Explanation(facts).findings.first?.evidence == ["the driver: [*]: rx_discards grew by 9"])
    }

    @Test("a larger ring is advised where there is room for one")
    func ring() {
        let features = MadeUp.features {
            $0.rings = InterfaceFeatures.Rings(
                receive: 256, transmit: 256, maximumReceive: 4096, maximumTransmit: 4096)
        }
        let facts = MadeUp.facts(stack: ["rx_packets": 1000, "rx_missed_errors": 5], features: features)
        #expect(Explanation(facts).findings.first?.remedies.first == "`ethtool -G eth0 rx 4096`")
    }

    @Test("counters that a card began anew are no difference of 2^64")
    func reset() {
        let facts = MadeUp.facts {
            $0.before.stack = [InterfaceSample.Named(name: "rx_packets", value: 5000)]
        }
        #expect(facts.grown("rx_packets") == 1000)
    }

    @Test("events of other programs and other namespaces are not taken for ours")
    func strangers() {
        let mine = MadeUp.event(.redirectError, count: 5, target: 9, error: -22, namespace: 11)
        var others = [mine, mine, mine]
        others[0].key.program = 78
        others[1].key.namespace = 12
        others[2].key.interface = 3
        func facts(_ events: [XDPEvent]) -> ExplanationFacts {
            MadeUp.facts {
                $0.namespace = 11
                $0.events = .known(events)
                $0.program = MadeUp.program([.redirect: 20])
            }
        }
        #expect(MadeUp.blamed(facts(others)).isEmpty)
        #expect(MadeUp.blamed(facts(others + [mine])) == ["redirect-target"])
    }

    @Test("failures cannot be more than there were redirects, and the ledger adds up")
    func sums() {
        let facts = MadeUp.facts {
            $0.events = .known([MadeUp.event(.devmapTransmit, dropped: 500, program: 0, target: 3)])
            $0.targets = [3: MadeUp.features { $0.name = "eth1" }]
            $0.program = MadeUp.program([.redirect: 300, .pass: 700])
        }
        let explanation = Explanation(facts)
        #expect(explanation.findings.map(\.hypothesis) == ["redirect-queue"])
        #expect(explanation.findings.first?.packets == 300)
        #expect(explanation.ledger.packets == 1000)
        #expect(explanation.ledger.entries.reduce(0) { $0 + $1.packets } == 1000)
    }

    @Test("a driver that cannot redirect reports an exception")
    func driverFeature() {
        let features = MadeUp.features { $0.features[.redirect] = .unsupported }
        let facts = MadeUp.facts(features: features) {
            $0.program = MadeUp.program([.redirect: 30, .pass: 70])
            $0.events = .known([MadeUp.event(.exception, count: 30, verdict: 4)])
        }
        #expect(MadeUp.blamed(facts) == ["driver-feature"])
    }

    @Test("checksums are judged by packets alone: without any it cannot be told")
    func checksum() {
        func facts(_ change: (inout ExplanationFacts) -> Void) -> ExplanationFacts {
            MadeUp.facts(features: MadeUp.features { $0.kind = "veth" }) {
                $0.program = MadeUp.program([.redirect: 100])
                $0.peer = PeerFacts(description: "far", leavesChecksums: true)
                change(&$0)
            }
        }
        var group = SampleFacts.Group(member: "ids", verdict: .redirect)
        (group.packets, group.checked) = (10, 10)
        let right = facts { $0.sample = .known(SampleFacts(groups: [group])) }
        group.wrong = 5
        let wrong = facts { $0.sample = .known(SampleFacts(groups: [group])) }

        #expect(Explanation(facts { _ in }).unknown.map(\.hypothesis) == ["checksum"])
        #expect(MadeUp.blamed(right).isEmpty)
        #expect(MadeUp.blamed(wrong) == ["checksum"])
        #expect(Explanation(wrong).findings.first?.packets == 50)
    }

    @Test("what the tracepoints could not tell is said to be unknown")
    func blind() {
        let facts = MadeUp.facts {
            $0.events = .missing("no right")
            $0.program = MadeUp.program([.redirect: 100])
        }
        let explanation = Explanation(facts)
        #expect(explanation.isHealthy)
        #expect(
            explanation.unknown.map(\.hypothesis)
                == ["redirect-target", "redirect-size", "redirect-queue", "attach-failed"])
        #expect(explanation.unknown.allSatisfy { $0.reason == "no right" })
    }

    @Test("a processor is saturated by softirq alone, not by programs")
    func processor() {
        let row = [(0.9, 0.1, true), (0.5, 0.0, true), (0.5, 0.5, false), (0.1, 0.0, false)]
        for (softirq, idle, isSaturated) in row {
            let facts = MadeUp.facts {
                $0.processors = [SoftirqLoad.Processor(number: 0, softirq: softirq, idle: idle)]
            }
            #expect(MadeUp.blamed(facts) == (isSaturated ? ["processor"] : []), "\(softirq) \(idle)")
        }
    }

    @Test("LRO is a risk, and a cost once a joined packet was seen")
    func joined() {
        let features = MadeUp.features { $0.offloads = ["rx-gro-hw": true] }
        var group = SampleFacts.Group(member: "ids", verdict: .pass)
        group.longest = 9000
        let seen = MadeUp.facts(features: features) { $0.sample = .known(SampleFacts(groups: [group])) }
        #expect(Explanation(MadeUp.facts(features: features)).findings.map(\.effect) == [.risk])
        #expect(Explanation(seen).findings.map(\.effect) == [.cost])
    }
}

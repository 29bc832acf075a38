// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// Exact numbers of packets through real devices, and what all sides made of them. Needs root.
@Suite("Reconciliation on the kernel")
struct ObserveReconciliationTests {
    /// A device, a mode, and whether what is sent back or redirected can arrive.
    struct Situation: Sendable, CustomStringConvertible {
        var interface: String
        var mode: ModeRequest
        var arrives: Bool
        var blocks = false

        var description: String {
            "\(interface), \(mode), \(arrives ? "arriving" : "failing")\(blocks ? ", blocking" : "")"
        }
    }

    private static let situations: [Situation] = ["near", "tap"].flatMap { name in
        [ModeRequest.native, .generic].flatMap { mode in
            [true, false].map { Situation(interface: name, mode: mode, arrives: $0) }
        }
    }

    private static let mixture: [(verdict: Verdict, count: Int)] = [
        (.aborted, 3), (.drop, 5), (.pass, 7), (.tx, 2), (.redirect, 4),
    ]

    /// Sends the mixture and a packet for which there is no verdict, and compares what came of it.
    static func reconcile(_ situation: Situation) throws -> (Reconciliation, SampleDifference) {
        let bench = try ChainBench(withTAP: true, blockingTAP: situation.blocks)
        // Frames can be sent to a veth if its other end takes them by NAPI.
        if situation.arrives { try bench.namespace.run { try EthtoolSwitch.setGRO(true, of: "far") } }
        let target =
            situation.interface == "tap"
            ? bench.index : try bench.namespace.run { try Interface(named: "tap").index }
        try bench.edit(situation.interface) { editor throws(XDPError) in
            let path: (String) throws(XDPError) -> String = { (name) throws(XDPError) in
                guard let path = try? Fixture.path(name) else {
                    throw XDPError(.failed, "No fixture", because: name)
                }
                return path
            }
            var choose = LoadRequest(path: try path("choose"))
            choose.edges = [.redirect: .member("redirect"), .pass: .end]
            var redirect = LoadRequest(path: try path("redirect"))
            redirect.variables = ["target": situation.arrives ? "\(target)" : "0"]
            _ = try editor.load([choose, redirect], mode: situation.mode)
        }
        let packets =
            mixture.flatMap { verdict, count in
                [Packet](repeating: ChainBench.packet(for: verdict), count: count)
            } + [.ethernet(to: "02:00:00:00:00:07").ipv4().udp().padded(to: 60)]

        return try bench.namespace.run {
            var sampler = try InterfaceSampler()
            let interface = try Interface(named: situation.interface)
            let before = try sampler.sample(interface)
            if situation.interface == "tap" {
                for packet in packets { try bench.tap?.write(packet) }
            } else {
                try bench.send(packets)
            }
            var difference = SampleDifference(from: before, to: try sampler.sample(interface))
            // Drivers add to their counters when they are done with a batch.
            let deadline = ContinuousClock.now + .seconds(5)
            while Reconciliation(difference).outcome?.entered != 22
                || Reconciliation(difference).addsUp != true,
                ContinuousClock.now < deadline
            {
                usleep(5000)
                difference = SampleDifference(from: before, to: try sampler.sample(interface))
            }
            return (Reconciliation(difference), difference)
        }
    }

    @Test("every packet is accounted for by chain, driver and stack", arguments: situations)
    func exact(_ situation: Situation) throws {
        let (found, difference) = try Self.reconcile(situation)

        let outcome = try #require(found.outcome)
        #expect(outcome.entered == 22 && outcome.sum == 22, "\(outcome)")
        #expect(outcome[.aborted] == 4 && outcome[.drop] == 5 && outcome[.pass] == 7, "\(outcome)")
        #expect(outcome[.tx] == 2 && outcome[.redirect] == 4, "\(outcome)")
        #expect(found.addsUp == true, "\(found)\n\(difference)")
        // Older kernels do not count on TAP devices what is sent back or redirected.
        let isOlderTAP = situation.interface == "tap" && situation.mode == .native
        for check in found.checks where check.result != .equal {
            #expect(isOlderTAP && check.result == .explained, "\(check)\n\(difference)")
        }
        #expect(found.checks.count == (situation.interface == "near" && situation.mode == .native ? 5 : 2))
    }

    @Test("of a process that writes to a TAP device and waits the kernel counts no drops, and that is said")
    func blocking() throws {
        let (found, difference) = try Self.reconcile(
            Situation(interface: "tap", mode: .native, arrives: true, blocks: true))

        let check = try #require(found.checks.last)
        #expect(found.addsUp == true && check.result == .explained, "\(found)\n\(difference)")
        #expect(check.explanations.first?.contains("blocking descriptor") == true, "\(check)")
        #expect(check.value == 7 && check.expected == 22, "\(check)")
    }

    @Test("packets that the ring of a veth has no room for are not the chain's, and nothing is missing")
    func overrun() throws {
        let bench = try ChainBench()
        try bench.loadAll("drop")
        try bench.namespace.run {
            var sampler = try InterfaceSampler()
            let near = try Interface(named: "near")
            let before = try sampler.sample(near)
            for _ in 0..<20 { try bench.send([Packet](repeating: ChainBench.packet(for: .drop), count: 500)) }
            var difference = SampleDifference(from: before, to: try sampler.sample(near))
            _ = try eventually {
                difference = SampleDifference(from: before, to: try sampler.sample(near))
                return Reconciliation(difference).addsUp == true && difference.counted.uncertainty == 0
            }
            let found = Reconciliation(difference)
            #expect(found.addsUp == true && found.checks.allSatisfy { $0.result == .equal }, "\(found)")
            #expect((found.outcome?.entered ?? 0) > 0)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// Explanations of what happens before and after programs, each of a fault that is there, and of nothing. Needs root.
@Suite("Explained: links, arrival, modes and the stack")
struct ExplainArrivalTests {
    private static func ip(_ bench: ChainBench, _ words: String...) throws {
        let result = try Subprocess.run("nsenter", ["--net=\(bench.path)", "ip"] + words)
        try #require(result.status == 0, "\(result)")
    }

    @Test("where nothing is wrong nothing is found", arguments: ["rules { default pass }", nil])
    func healthy(_ rules: String?) throws {
        let bench = try StackBench()
        if let rules { try bench.apply(rules) }
        // The neighbours are found out before.
        #expect(try bench.exchange(ipv6: false, tries: 25))

        let explained = try bench.here.run { () throws -> Explained in
            try Explained(of: "near", for: 0.5) { () throws in
                for _ in 0..<20 { #expect(try bench.exchange(ipv6: false)) }
            }
        }

        #expect(explained.blamed.isEmpty, "\(explained)")
        #expect(explained.packets(.stack) >= 20)
        #expect(
            explained.explanation.ruledOut.count + explained.explanation.unknown.count
                >= Hypothesis.all.count - 1
        )
    }

    @Test("an interface that is down, or whose other end is", arguments: ["near", "far"])
    func noLink(_ end: String) throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")
        try Self.ip(bench, "link", "set", end, "down")

        let explained = try bench.explain {}

        #expect(explained.blamed == ["no-link"], "\(explained)")
        #expect(explained.finding("no-link")?.remedies == ["`ip link set dev \(end) up`"], "\(explained)")
        try Remedy.obey(explained.finding("no-link")?.remedies.first, in: bench.path)
        #expect(
            try eventually {
                try bench.namespace.run { try Interface(named: "near").link.isRunning }
            })
        #expect(try bench.explainTaken(5).blamed.isEmpty)
    }

    @Test("nothing arrives, and the sender sent nothing")
    func noPackets() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")

        let explained = try bench.explain {}

        #expect(explained.blamed == ["no-packets"], "\(explained)")
        #expect(
            explained.finding("no-packets")?.evidence.contains("far sent 0 packets in that time") == true,
            "\(explained)")
        #expect(explained.explanation.ledger.packets == 0)
    }

    @Test("packets that are longer than the MTU of the end that they come to")
    func tooLong() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")
        try Self.ip(bench, "link", "set", "far", "mtu", "3000")

        let explained = try bench.explain { [far = bench.far] in
            try UncheckedSender.send(.ethernet().padded(to: 2500), times: 30, to: far)
            // Who insists on sending such a packet gives up some time.
            do {
                try PacketSocket(interface: far, role: .sender, patience: .milliseconds(50)).send(
                    .ethernet().padded(to: 2500))
            } catch let error as PacketDeviceError {
                #expect(error.code == ENOBUFS)
            }
        }

        #expect(explained.blamed == ["too-long"], "\(explained)")
        #expect(explained.finding("too-long")?.packets ?? 0 > 30)
        try Remedy.obey(explained.finding("too-long")?.remedies.first, in: bench.path)
        #expect(try bench.explainTaken(5, .ethernet().padded(to: 2500)).blamed.isEmpty)
    }

    @Test("packets that come faster than they are taken")
    func ringFull() throws {
        let bench = try ChainBench()
        let program = try bench.namespace.run { [index = bench.index] in
            try RunningProgram(.slow(microseconds: 300, .drop), on: index)
        }
        // With a thread of its own the kernel takes packets later than they are sent.
        let script = "mount -t sysfs none /sys && echo 1 > /sys/class/net/near/threaded"
        let result = try Subprocess.run(
            "nsenter",
            ["--net=\(bench.path)", "unshare", "-m", "--propagation", "private", "sh", "-c", script])
        guard result.status == 0 else {
            #expect(KernelVersion.running < "5.12", "\(result)")
            try Test.skip("this kernel has no threads for NAPI, which Linux 5.12 brings")
        }

        let explained = try bench.explain { [far = bench.far] in
            try UncheckedSender.send(.ethernet().padded(to: 100), times: 1000, to: far)
        }
        withExtendedLifetime(program) {}

        let finding = try #require(explained.finding("ring-full"), "\(explained)")
        #expect(finding.packets ?? 0 > 100)
        #expect(finding.evidence.contains { $0.hasPrefix("far could not hand over") }, "\(explained)")
        #expect(explained.blamed == ["ring-full", "member-drops"], "\(explained)")
    }

    @Test("generic mode where there is a native one")
    func genericMode() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass", mode: .generic)

        let explained = try bench.explainTaken()

        #expect(explained.blamed == ["generic-mode"], "\(explained)")
        #expect(explained.finding("generic-mode")?.effect == .cost)
        let directory = try TemporaryDirectory()
        let words = try #require(explained.finding("generic-mode")?.remedies.first).split(separator: "`").map(
            String.init)
        #expect(words.count == 7 && words[2] == "mode: generic", "\(words)")
        // As it says: export, take the line out, unload, apply.
        let commands = [
            "cd \(directory.path)", words[0], "sed -i '/\(words[2])/d' chain.yaml", words[4], words[6],
        ]
        let mended = try Remedy.run(commands.joined(separator: " && "), in: bench.path)
        #expect(mended.status == 0, "\(mended)")
        #expect(try bench.explainTaken().blamed.isEmpty)
    }

    @Test("generic mode for want of a native one")
    func driverFeature() throws {
        let bench = try ChainBench()
        try Self.ip(bench, "link", "set", "lo", "up")
        let request = LoadRequest(path: try Fixture.path("pass"))
        try bench.edit("lo") { editor throws(XDPError) in try editor.load([request], mode: .auto) }

        let explained = try bench.namespace.run { () throws -> Explained in
            let index = try Interface(named: "lo").index
            let listener = try PacketSocket(interface: index, role: .receiver)
            let sender = try PacketSocket(interface: index, role: .sender)
            let explained = try Explained(of: "lo", for: 0.5) {
                try sender.send(.ethernet().padded(to: 100), times: 50)
            }
            _ = try listener.count(within: .zero)
            return explained
        }

        #expect(explained.blamed == ["driver-feature"], "\(explained)")
        #expect(explained.finding("driver-feature")?.effect == .cost)
        #expect(
            explained.finding("driver-feature")?.evidence.contains(
                "the chain was loaded with --mode auto and fell back")
                == true, "\(explained)")
    }

    @Test("tags that are out of the frame before a rule asks for them")
    func hiddenTags() throws {
        let bench = try ChainBench()
        let made = try Subprocess.run(
            "nsenter",
            [
                "--net=\(bench.path)", "ip", "link", "add", "link", "far", "name", "tagging", "type", "vlan",
                "id", "42",
            ])
        guard made.status == 0 else { try Test.skip("this kernel has no interfaces of the kind vlan") }
        try Self.ip(bench, "link", "add", "link", "near", "name", "tagged", "type", "vlan", "id", "42")
        for name in ["tagging", "tagged"] {
            try bench.namespace.run { ChainBench.disableIPv6(name) }
            try Self.ip(bench, "link", "set", name, "up")
        }
        let directory = try TemporaryDirectory()
        let rules = try directory.write("rules.xdp", "rules { drop vlan 42\n default pass }")
        let applied = try bench.xdpctl("filter", "apply", "near", rules)
        try #require(applied.status == 0, "\(applied)")

        func watched(_ expected: Int) throws -> Explained {
            try bench.namespace.run { () throws -> Explained in
                let listener = try PacketSocket(
                    interface: try Interface(named: "tagged").index, role: .receiver)
                let sender = try PacketSocket(interface: try Interface(named: "tagging").index, role: .sender)
                let explained = try Explained(of: "near", for: 0.5) {
                    try sender.send(.ethernet().padded(to: 100), times: 30)
                }
                #expect(try listener.count(within: .milliseconds(50)) == expected)
                return explained
            }
        }
        let explained = try watched(30)
        for remedy in explained.finding("hidden-tags")?.remedies ?? [] {
            try Remedy.obey(remedy, in: bench.path)
        }
        let mended = try watched(0)

        #expect(explained.blamed == ["hidden-tags"], "\(explained)")
        #expect(explained.finding("hidden-tags")?.effect == .loss)
        #expect(explained.finding("hidden-tags")?.packets == 30, "\(explained)")
        #expect(mended.blamed == ["member-drops"], "\(mended)")
    }

    @Test("a processor that has time for nothing else")
    func processor() throws {
        let bench = try ChainBench()
        let program = try bench.namespace.run { [index = bench.index] in
            try RunningProgram(.slow(microseconds: 1000, .drop), on: index)
        }
        let flood = Flood(bench, costing: 1)
        defer { flood.end() }

        let explained = try bench.explain(for: 1.5) {}

        let finding = try #require(
            explained.finding("processor"), "\(explained) \(explained.facts.processors)")
        #expect(finding.effect == .cost)
        #expect(
            finding.evidence.contains {
                $0.hasPrefix("processor \(flood.processor): ") && $0.contains("of its time in softirq")
            }, "\(explained)")
        #expect(explained.blamed.isSubset(of: ["member-drops", "ring-full"]), "\(explained)")
        withExtendedLifetime(program) {}
    }

    @Test("a program on the port of a bridge meets the packets first")
    func otherProgram() throws {
        let bench = try ChainBench()
        let made = try Subprocess.run(
            "nsenter", ["--net=\(bench.path)", "ip", "link", "add", "bridge0", "type", "bridge"])
        guard made.status == 0 else { try Test.skip("this kernel has no interfaces of the kind bridge") }
        try bench.namespace.run { ChainBench.disableIPv6("bridge0") }
        try Self.ip(bench, "link", "set", "near", "master", "bridge0")
        try Self.ip(bench, "link", "set", "bridge0", "up")
        try bench.loadAll("drop")

        let explained = try bench.explain("bridge0") {
            try bench.send([Packet](repeating: .ethernet().padded(to: 100), count: 20))
        }

        #expect(explained.blamed.contains("other-program"), "\(explained)")
        #expect(explained.blamed.isSubset(of: ["other-program", "no-packets"]), "\(explained)")
        #expect(explained.finding("other-program")?.packets == 20, "\(explained)")
        #expect(explained.finding("other-program")?.remedies == ["`xdpctl explain near`"])
    }

    @Test("what is sent meets a program at the other end")
    func peerProgram() throws {
        let bench = try ChainBench()
        try bench.loadAll("drop")

        let explained = try bench.explain("far") {
            try bench.send([Packet](repeating: .ethernet().padded(to: 100), count: 20))
        }

        #expect(explained.finding("other-program")?.packets == 20, "\(explained)")
        #expect(explained.finding("other-program")?.what.contains("comes in at near") == true, "\(explained)")
    }

    @Test("somebody tries to attach another program")
    func attachFailed() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")

        let explained = try bench.namespace.run { [far = bench.far, index = bench.index] in
            let listener = try PacketSocket(interface: index, role: .receiver)
            let explained = try Explained(of: "near", for: 0.5) {
                #expect(throws: (any Error).self) { _ = try RunningProgram(on: index) }
                try PacketSocket(interface: far, role: .sender).send(.ethernet().padded(to: 100), times: 5)
            }
            _ = try listener.count(within: .zero)
            return explained
        }

        guard KernelVersion.running >= "6.6" else {
            #expect(explained.blamed.isEmpty, "\(explained)")
            try Test.skip("this kernel does not tell of failed attachments, which Linux 6.6 does")
        }
        #expect(explained.blamed == ["attach-failed"], "\(explained)")
    }

    @Test("what passes and is dropped by the stack is not blamed on XDP")
    func stackDrops() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")

        let explained = try bench.explain {
            try bench.send([Packet](repeating: .ethernet().padded(to: 100), count: 20))
        }

        #expect(explained.blamed == ["stack-drops"], "\(explained)")
        #expect(explained.finding("stack-drops")?.packets == 20)
        #expect(explained.finding("stack-drops")?.what.contains("it is not XDP") == true)
    }

    @Test("UDP to a port that nobody listens on")
    func closedPort() throws {
        let bench = try StackBench()
        try bench.apply("rules { default pass }")
        #expect(try bench.exchange(ipv6: false, tries: 25))

        let explained = try bench.here.run {
            try Explained(of: "near", for: 0.5) { try bench.sendToClosedPort(10) }
        }

        #expect(explained.blamed == ["stack-drops"], "\(explained)")
        #expect(explained.finding("stack-drops")?.packets == 10, "\(explained)")
        #expect(explained.finding("stack-drops")?.evidence.contains { $0.hasPrefix("UdpNoPorts") } == true)
    }
}

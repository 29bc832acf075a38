// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// Explanations of what becomes of redirected packets, each of a fault that is there. Needs root.
@Suite("Explained: redirects, tx and sockets")
struct ExplainRedirectTests {
    /// Lets packets arrive at `tap`.
    private static func write(_ loss: LossBench, _ count: Int = 20, length: Int = 100) throws {
        let packet = Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: length)
        for _ in 0..<count { try loss.bench.tap?.write(packet) }
    }

    private static func load(
        _ fixture: String, target: UInt32? = nil, on interface: String = "tap", _ loss: LossBench
    ) throws {
        var request = LoadRequest(path: try Fixture.path(fixture))
        if let target { request.variables["target"] = "\(target)" }
        try loss.bench.edit(interface) { [request] editor throws(XDPError) in try editor.load([request]) }
    }

    /// Makes an end take packets from programs, as the remedy says; older kernels know no command for it.
    private static func open(_ peer: String, _ finding: ExplanationFinding?, _ loss: LossBench) throws {
        guard finding?.remedies.first?.hasPrefix("`") == true else { return try loss.openEnd(peer) }
        try Remedy.obey(finding?.remedies.first, in: loss.bench.path)
    }

    @Test("a target that takes no packets from programs")
    func unable() throws {
        let loss = try LossBench()
        try Self.load("redirect", target: loss.out, loss)

        let explained = try loss.bench.explain("tap") { try Self.write(loss) }
        try Self.open("sink", explained.finding("redirect-target"), loss)
        let mended = try loss.bench.explain("tap") { try Self.write(loss) }

        #expect(explained.blamed == ["redirect-target"], "\(explained)")
        let finding = try #require(explained.finding("redirect-target"))
        #expect(finding.packets == 20)
        #expect(finding.what.contains("out (veth) takes no packets from programs"), "\(explained)")
        #expect(
            finding.remedies.first?.contains("load any program on sink natively") == true
                || finding.remedies.first?.contains("Load any program on sink natively") == true,
            "\(explained)")
        #expect(explained.packets(.notRedirected) == 20 && explained.packets(.redirected) == 0)
        #expect(mended.blamed.isEmpty, "\(mended)")
        #expect(mended.packets(.redirected) == 20)
    }

    @Test("a target that is not there, one that is down, and none at all")
    func missing() throws {
        let loss = try LossBench()
        try Self.load("redirect", target: 9999, loss)
        let missing = try loss.bench.explain("tap") { try Self.write(loss) }
        try loss.unload()
        try loss.openEnd()
        try loss.ip("link", "set", "out", "down")
        try Self.load("redirect", target: loss.out, loss)
        let down = try loss.bench.explain("tap") { try Self.write(loss) }
        try loss.unload()
        try Self.load("redirect_bare", loss)
        let nowhere = try loss.bench.explain("tap") { try Self.write(loss) }

        for explained in [missing, down, nowhere] {
            #expect(explained.blamed == ["redirect-target"], "\(explained)")
            #expect(explained.finding("redirect-target")?.packets == 20, "\(explained)")
        }
        #expect(missing.finding("redirect-target")?.what.contains("no interface 9999") == true, "\(missing)")
        #expect(down.finding("redirect-target")?.what.contains("out is down") == true, "\(down)")
        try Remedy.obey(down.finding("redirect-target")?.remedies.first, in: loss.bench.path)
        #expect(try loss.bench.features("out").isUp)
        #expect(
            nowhere.finding("redirect-target")?.what.contains("nothing in the chain said where to") == true,
            "\(nowhere)")
    }

    @Test("packets that are longer than the target's MTU")
    func tooLong() throws {
        let loss = try LossBench()
        try loss.openEnd()
        try loss.ip("link", "set", "out", "mtu", "1000")
        try Self.load("redirect", target: loss.out, loss)

        let explained = try loss.bench.explain("tap") {
            try Self.write(loss, 10, length: 1400)
            try Self.write(loss, 5)
        }

        #expect(explained.blamed == ["redirect-size"], "\(explained)")
        #expect(explained.finding("redirect-size")?.packets == 10)
        #expect(
            explained.finding("redirect-size")?.evidence.contains { $0.contains("the MTU of out is 1000") }
                == true)
        #expect(explained.packets(.redirected) == 5 && explained.packets(.notRedirected) == 10)
        try Remedy.obey(explained.finding("redirect-size")?.remedies.first, in: loss.bench.path)
        #expect(try loss.bench.features("out").mtu == 1500)
    }

    @Test("packets of several buffers, for a target that takes one")
    func fragments() throws {
        try KernelNeed.check("frags")
        try KernelNeed.netdevFamily.check()
        let loss = try LossBench(mtu: 9000)
        try loss.ip("link", "set", "tap", "mtu", "9000")
        try Self.load("frags_redirect", target: try loss.index("tap"), on: "near", loss)

        let explained = try loss.bench.explain("near") { _ = try loss.readAtTap(length: 8000) }

        #expect(explained.blamed == ["redirect-size"], "\(explained)")
        #expect(explained.finding("redirect-size")?.packets == 10)
        #expect(explained.finding("redirect-size")?.what.contains("one buffer only") == true)
    }

    @Test("a target whose queue nobody empties")
    func fullQueue() throws {
        let loss = try LossBench()
        try Self.load("redirect", target: try loss.index("tap"), on: "near", loss)

        let explained = try loss.bench.explain("near") {
            try loss.bench.send([Packet](repeating: LossBench.packet, count: 3000))
        }

        #expect(explained.blamed == ["redirect-queue"], "\(explained)")
        #expect(explained.finding("redirect-queue")?.packets ?? 0 > 100, "\(explained)")
        #expect(explained.packets(.redirected) > 100)
    }

    @Test("a processor whose queue is full, in either mode", arguments: [ModeRequest.native, .generic])
    func fullProcessor(_ mode: ModeRequest) throws {
        let loss = try LossBench()
        // Kernels that cannot do it refuse maps that may have programs, at least.
        let isInVain = try mode == .generic && KernelNeed.genericCPUMap.isMissing()
        let fixture = isInVain ? "cpumap_drop" : "cpumap"
        let request = LoadRequest(path: try Fixture.path(fixture))
        try loss.bench.edit("tap") { editor throws(XDPError) in try editor.load([request], mode: mode) }
        let map = try loss.bench.chain("tap").map("cpus", of: fixture)
        let slow = try Program.load(.slow(microseconds: 2000, .pass, for: .cpuMap)).take()
        // struct bpf_cpumap_val: places of the queue, and the program that its packets meet.
        func put(places: UInt32) throws {
            let value = [places, UInt32(bitPattern: slow.descriptor.rawValue)]
            try map.map.update(
                [0, 0, 0, 0], to: value.withUnsafeBytes { Array($0.prefix(isInVain ? 4 : 8)) })
        }
        /// What is explained, and how many packets came through to the stack.
        func watched(_ count: Int) throws -> (Explained, Int) {
            try loss.bench.namespace.run {
                let listener = try PacketSocket(interface: try Interface(named: "tap").index, role: .receiver)
                let explained = try Explained(of: "tap", for: 0.5) {
                    let packet = LossBench.packet.bytes
                    for _ in 0..<count { try loss.bench.tap?.write(packet) }
                    usleep(100_000)
                }
                return (explained, try listener.count(within: .milliseconds(50)) { $0.count == 100 })
            }
        }
        let beside: Set = mode == .generic ? ["generic-mode"] : []

        try put(places: 192)
        let (healthy, taken) = try watched(10)
        if isInVain {
            #expect(healthy.blamed == ["generic-mode", "redirect-target"] && taken == 0, "\(healthy)")
            #expect(
                healthy.finding("redirect-target")?.what.contains("in generic mode this kernel hands none")
                    == true, "\(healthy)")
            return
        }
        try put(places: 4)
        let (explained, rest) = try watched(400)

        #expect(healthy.blamed == beside && taken == 10, "\(healthy)")
        #expect(explained.blamed == beside.union(["redirect-queue"]), "\(explained)")
        let finding = try #require(explained.finding("redirect-queue"))
        #expect(finding.packets == UInt64(400 - rest) && rest < 350, "\(rest) \(explained)")
        #expect(finding.what.hasSuffix("found the queue of processor 0 full"), "\(explained)")
        #expect(finding.evidence.first?.contains("map cpus (id \(map.id))") == true, "\(explained)")
        #expect(explained.packets(.notRedirected) == UInt64(400 - rest))
        // Generic mode tells of each packet that it was dropped, and that none was processed.
        #expect(
            explained.facts.events(.cpumapEnqueue).allSatisfy { $0.sent <= 400 }, "\(explained.facts.events)")
        #expect(explained.packets(.redirected) == UInt64(rest))
    }

    @Test("a map without an entry", arguments: ["devmap_hash", "cpumap_drop"])
    func noEntry(_ fixture: String) throws {
        let loss = try LossBench()
        try Self.load(fixture, loss)

        let explained = try loss.bench.explain("tap") { try Self.write(loss) }

        #expect(explained.blamed == ["no-entry"], "\(explained)")
        #expect(explained.finding("no-entry")?.packets == 20)
    }

    @Test("tx where the other end takes nothing from programs")
    func transmit() throws {
        let loss = try LossBench()
        try Self.load("tx", on: "near", loss)
        let packets = [Packet](repeating: LossBench.packet, count: 20)

        let explained = try loss.bench.explain { try loss.bench.send(packets) }
        try Self.open("far", explained.finding("transmit"), loss)
        let mended = try loss.bench.explain { try loss.bench.send(packets) }

        #expect(explained.blamed == ["transmit"], "\(explained)")
        #expect(explained.finding("transmit")?.packets == 20)
        #expect(explained.packets(.notSentBack) == 20 && explained.packets(.sentBack) == 0)
        #expect(mended.blamed.isEmpty, "\(mended)")
        #expect(mended.packets(.sentBack) == 20)
    }

    @Test("no socket behind a map of sockets")
    func noSocket() throws {
        let loss = try LossBench()
        try Self.load("xskmap_drop", loss)

        let explained = try loss.bench.explain("tap") { try Self.write(loss) }

        #expect(explained.blamed == ["socket"], "\(explained)")
        #expect(explained.finding("socket")?.packets == 20)
        #expect(
            explained.finding("socket")?.what.contains("sockets has none for their queue") == true,
            "\(explained)")
    }

    @Test("a socket whose owner gives no buffers, or does not read", arguments: [0, 64])
    func notReading(_ buffers: Int) throws {
        let loss = try LossBench()
        try Self.load("xskmap_drop", on: "near", loss)
        let map = try loss.bench.chain().map("sockets", of: "xskmap_drop")
        let socket = try loss.bench.namespace.run { [index = loss.bench.index] in
            try XDPSocket(interface: index, buffers: buffers)
        }
        try socket.put(into: map, at: 0)
        if buffers > 0 {
            let healthy = try loss.bench.explain {
                try loss.bench.send([Packet](repeating: LossBench.packet, count: 3))
            }
            #expect(healthy.blamed.isEmpty, "\(healthy)")
        }

        let explained = try loss.bench.explain {
            try loss.bench.send([Packet](repeating: LossBench.packet, count: 40))
        }

        #expect(explained.blamed == ["socket"], "\(explained)")
        // Four fit into the ring, of which three are taken.
        #expect(explained.finding("socket")?.packets == (buffers == 0 ? 40 : 39), "\(explained)")
        withExtendedLifetime(socket) {}
    }
}

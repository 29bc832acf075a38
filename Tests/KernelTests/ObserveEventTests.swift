// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// The kernel's XDP tracepoints, each fired for real. Needs root.
@Suite("XDP events")
struct ObserveEventTests {
    /// What belongs to a network namespace: what cpumaps do is told to all, so that tests would hear of each other.
    private static let scoped = Set(XDPEvent.Kind.allCases).subtracting([.cpumapEnqueue, .cpumapRun])

    /// What a watch of the bench's namespace tells while something is done.
    ///
    /// - Parameters:
    ///   - count: it goes on until so many events came, or some seconds passed.
    ///   - settling: how long to wait then for what should not come, or comes from elsewhere.
    static func events(
        _ bench: ChainBench, kinds: Set<XDPEvent.Kind> = Self.scoped,
        of interfaces: [String]? = nil,
        successes: Bool = false, count: UInt64, settling: Duration = .milliseconds(50),
        _ body: @Sendable () throws -> Void
    ) throws -> [XDPEvent] {
        try bench.namespace.run {
            let indices = try interfaces.map { names in
                Set(try names.map { name in try Interface(named: name).index })
            }
            let watch = try XDPEventWatch(kinds, interfaces: indices, successes: successes)
            try body()
            var found: [XDPEvent.Key: XDPEvent] = [:]
            let deadline = ContinuousClock.now + .seconds(5)
            var end = deadline
            while ContinuousClock.now < end {
                for event in try watch.read(milliseconds: 100) {
                    guard var known = found[event.key] else {
                        found[event.key] = event
                        continue
                    }
                    known.count += event.count
                    known.dropped += event.dropped
                    known.sent += event.sent
                    found[event.key] = known
                }
                // A little longer, for what should not come.
                if end == deadline, found.values.reduce(0, { $0 + $1.count }) >= count {
                    end = ContinuousClock.now + settling
                }
            }
            #expect(watch.others == 0)
            return found.values.sorted { $0.time < $1.time }
        }
    }

    static func load(
        _ loss: LossBench, _ fixture: String, mode: ModeRequest = .native, target: UInt32? = nil
    ) throws -> UInt32 {
        var request = LoadRequest(path: try Fixture.path(fixture))
        if let target { request.variables["target"] = "\(target)" }
        try loss.bench.edit("tap") { [request] editor throws(XDPError) in
            try editor.load([request], mode: mode)
        }
        return try loss.bench.chain("tap").programID
    }

    private static func namespace(_ bench: ChainBench) -> UInt32 {
        UInt32(bench.namespace.identity.inode)
    }

    @Test(
        "an answer that is aborted or no verdict is an exception, in either mode",
        arguments: [("aborted", 0), ("unknown_verdict", 7)], [ModeRequest.native, .generic])
    func exceptions(_ row: (fixture: String, verdict: UInt32), _ mode: ModeRequest) throws {
        let loss = try LossBench()
        let tap = try loss.index("tap")
        let program = try Self.load(loss, row.fixture, mode: mode)

        let events = try Self.events(loss.bench, count: 10) {
            for _ in 0..<10 { try loss.bench.tap?.write(LossBench.packet) }
        }

        let event = try #require(events.first)
        #expect(events.count == 1)
        #expect(
            event.key
                == XDPEvent.Key(
                    kind: .exception, program: program, interface: tap,
                    namespace: Self.namespace(loss.bench), verdict: row.verdict))
        #expect(event.count == 10 && event.dropped == 10 && event.sent == 0)
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let age = UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec) - event.time
        #expect(age < 10_000_000_000)
    }

    @Test("a flood is one event with an exact number, and other kinds beside it are told apart")
    func flood() throws {
        let loss = try LossBench()
        let request = LoadRequest(path: try Fixture.path("choose"))
        try loss.bench.edit("tap") { editor throws(XDPError) in
            _ = try editor.load([request])
        }
        let aborted = ChainBench.packet(for: .aborted).bytes
        var unknown = aborted
        unknown[5] = 7

        let events = try Self.events(loss.bench, count: 100_010) { [unknown] in
            for number in 0..<100_000 {
                try loss.bench.tap?.write(aborted)
                if number % 10_000 == 0 { try loss.bench.tap?.write(unknown) }
            }
        }

        #expect(events.count == 2)
        #expect(events.first { $0.key.verdict == 0 }?.count == 100_000)
        #expect(events.first { $0.key.verdict == 7 }?.count == 10)
        #expect(events.allSatisfy { $0.dropped == $0.count })
    }

    @Test("a redirect to an interface that is not there, and one without a helper")
    func nowhere() throws {
        for (fixture, target) in [("redirect", UInt32(4711)), ("redirect_bare", nil)] as [(String, UInt32?)] {
            let loss = try LossBench()
            let tap = try loss.index("tap")
            let program = try Self.load(loss, fixture, target: target)

            let events = try Self.events(loss.bench, count: 5) {
                for _ in 0..<5 { try loss.bench.tap?.write(LossBench.packet) }
            }

            let event = try #require(events.first, "\(fixture)")
            #expect(events.count == 1)
            #expect(event.key.kind == .redirectError && event.key.program == program)
            #expect(event.key.interface == tap)
            #expect(event.key.target == target ?? 0)
            #expect(event.key.map == 0 && event.key.mapType == 0 && event.key.mapKey == 0)
            #expect(event.count == 5 && event.dropped == 5)
            if target != nil {
                #expect(event.key.error == -EINVAL && EventMeaning(event).rule == "redirect-missing")
                #expect(event.key.targetNamespace == Self.namespace(loss.bench))
            } else {
                // Before Linux 5.12 it is a redirect to interface 0.
                #expect([-EBADRQC, -EINVAL].contains(event.key.error))
                #expect(EventMeaning(event).rule == "redirect-nowhere")
            }
        }
    }

    @Test("a redirect to a veth whose other end takes nothing, by number and by devmap")
    func target() throws {
        for fixture in ["redirect", "devmap"] {
            let loss = try LossBench()
            let tap = try loss.index("tap")
            let program = try Self.load(loss, fixture, target: fixture == "redirect" ? loss.out : nil)
            var map: UInt32 = 0
            if fixture == "devmap" {
                try loss.fill("devices", of: "devmap", at: 0, with: loss.out)
                map = try loss.bench.chain("tap").map("devices", of: "devmap").id
            }

            let events = try Self.events(loss.bench, count: 1) {
                for _ in 0..<5 { try loss.bench.tap?.write(LossBench.packet) }
            }

            let event = try #require(events.first, "\(fixture)")
            #expect(events.count == 1 && event.dropped == 5, "\(events)")
            #expect(event.key.interface == tap && event.key.target == loss.out)
            #expect(event.key.targetNamespace == Self.namespace(loss.bench))
            if event.key.kind == .redirectError {
                #expect(event.key.error == -EOPNOTSUPP && event.key.program == program)
                #expect(
                    event.key.map == map && event.key.mapType == (map == 0 ? 0 : 14) && event.key.mapKey == 0)
                #expect(EventMeaning(event).rule == "redirect-target")
            } else {
                // Before Linux 6.3 veth finds out when it is handed the packets.
                #expect(event.key.kind == .devmapTransmit && event.key.error == -ENXIO)
                #expect(EventMeaning(event).rule == "devmap-queue")
            }
        }
    }

    @Test("a target that is down, and packets that are larger than its MTU", arguments: ["down", "size"])
    func refusedByTarget(_ reason: String) throws {
        let loss = try LossBench()
        let tap = try loss.index("tap")
        _ = try Self.load(loss, "redirect", target: loss.out)
        try loss.openEnd()
        var route = try RouteSocket(in: loss.bench.namespace)
        if reason == "down" { try route.setDown(loss.out) } else { try route.setMTU(1000, of: loss.out) }
        let packet = Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: 1200)

        let events = try Self.events(loss.bench, count: 5) {
            for _ in 0..<5 { try loss.bench.tap?.write(packet) }
        }

        let event = try #require(events.first)
        #expect(events.count == 1 && event.dropped == 5, "\(events)")
        #expect(
            event.key.kind == .redirectError && event.key.interface == tap && event.key.target == loss.out)
        #expect(event.key.error == (reason == "down" ? -ENETDOWN : -EMSGSIZE))
        #expect(EventMeaning(event).rule == "redirect-\(reason)")
    }

    @Test("where all goes well there is no event, and with successes there are all")
    func successes() throws {
        for successes in [false, true] {
            let loss = try LossBench()
            let tap = try loss.index("tap")
            _ = try Self.load(loss, "redirect", target: loss.out)
            try loss.openEnd()

            let events = try Self.events(loss.bench, successes: successes, count: successes ? 6 : 1) {
                for _ in 0..<3 { try loss.bench.tap?.write(LossBench.packet) }
            }

            guard successes else {
                #expect(events.isEmpty, "\(events)")
                continue
            }
            let redirected = try #require(events.first { $0.key.kind == .redirect })
            #expect(redirected.key.target == loss.out && redirected.sent == 3 && redirected.dropped == 0)
            let sent = events.filter { $0.key.kind == .devmapTransmit }
            #expect(
                sent.allSatisfy { $0.key.interface == tap && $0.key.target == loss.out })
            #expect(sent.reduce(0) { $0 + $1.sent } == 3)
        }
    }

    @Test("packets that are answered tx where the other end takes none")
    func bulkTransmit() throws {
        let bench = try ChainBench()
        try bench.setGRO(false, of: "far")
        try bench.load("tx")

        let events = try Self.events(bench, count: 1) {
            try bench.send([Packet](repeating: LossBench.packet, count: 20))
            usleep(100_000)
        }

        let event = try #require(events.first)
        #expect(events.count == 1, "\(events)")
        #expect(event.key.kind == .bulkTransmit && event.key.error == -ENXIO)
        #expect(event.key.interface == bench.index && event.dropped == 20 && event.sent == 0)
        #expect(EventMeaning(event).rule == "transmit-peer")
    }

    @Test("an attachment that fails comes with what the kernel said and who asked")
    func attachFailed() throws {
        guard let types = KernelTypes(), types.tracepoint("bpf_xdp_link_attach_failed") != nil else {
            try Test.skip("this kernel does not tell of attachments that fail (Linux 6.6)")
        }
        let bench = try ChainBench()
        var route = try RouteSocket(in: bench.namespace)
        let bridge = try route.createLink("bridge", kind: "bridge").index

        let events = try Self.events(bench, count: 1) {
            let program = try Program.load(.passing("it")).take()
            for _ in 0..<2 { _ = try? XDPLink(attaching: program, toInterface: bridge, mode: .native) }
        }

        #expect(events.count == 1 && events.first?.count == 2, "\(events)")
        let event = try #require(events.first)
        #expect(event.key.kind == .attachFailed && event.text.contains("does not support XDP in native mode"))
        #expect(event.process == UInt32(getpid()) || getpid() == 1)
        #expect(!event.command.isEmpty && EventMeaning(event).rule == "attach-native")
    }

    @Test("events of other interfaces and of other namespaces are left out")
    func scope() throws {
        let loss = try LossBench()
        let other = try LossBench()
        for bench in [loss, other] { _ = try Self.load(bench, "aborted") }
        try loss.bench.load("aborted")

        let events = try Self.events(loss.bench, of: ["near"], count: 5) {
            for bench in [loss, other] {
                for _ in 0..<3 { try bench.bench.tap?.write(LossBench.packet) }
            }
            try loss.bench.send([Packet](repeating: LossBench.packet, count: 5))
            usleep(50_000)
        }

        #expect(events.map(\.key.interface) == [loss.bench.index])
        #expect(events.first?.count == 5 && events.first?.key.namespace == Self.namespace(loss.bench))
    }

    @Test("with everywhere, events of other namespaces come, and their interfaces have names")
    func everywhere() throws {
        let loss = try LossBench()
        let other = try LossBench()
        _ = try Self.load(other, "aborted")
        let inode = Self.namespace(other.bench)
        // A namespace that nothing but a descriptor holds cannot be found.
        let process = try Subprocess("nsenter", ["--net=\(other.bench.path)", "sleep", "30"])
        defer {
            kill(process.processID, SIGTERM)
            _ = try? process.wait()
        }

        #expect(
            eventually {
                (try? NetworkNamespace(processID: process.processID).identity)
                    == other.bench.namespace.identity
            })
        let (events, names) = try loss.bench.namespace.run {
            let watch = try XDPEventWatch([.exception], everywhere: true)
            for _ in 0..<3 { try other.bench.tap?.write(LossBench.packet) }
            let events = try watch.read(milliseconds: 1000).filter { $0.key.namespace == inode }
            var resolver = EventResolver()
            return (events, events.map { resolver.names(of: $0.key, isDetailed: true) })
        }

        #expect(events.count == 1 && events.first?.count == 3)
        #expect(names.first?.interface?.hasPrefix("tap in namespace ") == true, "\(names)")
    }

    @Test("the first event of a kind wakes the reader, and what comes later adds up")
    func waking() throws {
        let loss = try LossBench()
        _ = try Self.load(loss, "aborted")
        try loss.bench.namespace.run {
            let watch = try XDPEventWatch(Self.scoped)
            try loss.bench.tap?.write(LossBench.packet)
            let start = ContinuousClock.now
            let first = try watch.read(milliseconds: 5000)
            #expect(ContinuousClock.now - start < .seconds(2))
            #expect(first.map(\.count) == [1])
            for _ in 0..<4 { try loss.bench.tap?.write(LossBench.packet) }
            let later = try watch.read(milliseconds: 50)
            #expect(later.map(\.count) == [4])
            #expect(try watch.read(milliseconds: 0).isEmpty)
        }
    }

    @Test("more kinds than there is room for are counted, and make room for what comes later")
    func overflow() throws {
        let loss = try LossBench()
        _ = try Self.load(loss, "redirect_variable")
        let member = try loss.bench.chain("tap").member("redirect_variable")
        let place = try #require(member.unit.maps.firstIndex { $0.name.hasSuffix("bss") })
        let variable = try MapHandle(id: member.mapIDs[place])
        try loss.bench.namespace.run {
            let watch = try XDPEventWatch([.redirectError])
            func redirect(_ targets: ClosedRange<UInt32>) throws {
                for target in targets {
                    try variable.map.update([0, 0, 0, 0], to: withUnsafeBytes(of: target) { Array($0) })
                    try loss.bench.tap?.write(LossBench.packet)
                }
            }

            try redirect(10_001...11_500)
            let first = try watch.read(milliseconds: 0)
            #expect(first.count == XDPEventWatch.capacity && first.allSatisfy { $0.count == 1 })
            #expect(watch.others == 1500 - UInt64(XDPEventWatch.capacity))
            try redirect(20_001...20_001)
            #expect(try watch.read(milliseconds: 0).isEmpty)
            #expect(watch.others == 1501 - UInt64(XDPEventWatch.capacity))
            // Those of before have given up their places.
            try redirect(30_001...30_100)
            let later = try watch.read(milliseconds: 0)
            #expect(Set(later.map(\.key.target)) == Set(30_001...30_100))
        }
    }

    @Test("nothing stays behind")
    func traceless() throws {
        @Sendable func ours() throws -> Set<UInt32> {
            Set(
                try KernelIDs.programs().filter { id in
                    guard let program = try? Program(id: id) else { return false }
                    return (try? program.information())?.name == "xdpctl_monitor"
                })
        }
        let bench = try ChainBench()
        let before = try ours()
        let during = try bench.namespace.run {
            let watch = try XDPEventWatch()
            #expect(watch.missing.allSatisfy { $0.tracepoint == "bpf_xdp_link_attach_failed" })
            return try withExtendedLifetime(watch) { try ours() }
        }

        // Some may be those of a test beside this one, which go as well.
        #expect(during.subtracting(before).count >= 6)
        #expect(try eventually(within: 20) { try ours().isDisjoint(with: during.subtracting(before)) })
    }
}

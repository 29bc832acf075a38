// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import Filter
import Glibc
import Packets
import TestSupport
import Testing
import XDP

/// Captures of packets that run through a chain. Needs root.
@Suite("Captures")
struct CaptureSessionTests {
    private typealias Bench = CaptureBench

    @Test("every packet is at every point as it was sent, with its verdict, and can be followed")
    func everyPoint() throws {
        let bench = try Bench()
        try bench.load("pass", as: "first")
        try bench.load("choose")
        let packets = Verdict.allCases.map { ChainBench.packet(for: $0, length: 60 + 100 * Int($0.rawValue)) }

        let seen = try bench.capturing(Bench.request(Bench.everywhere)) { session in
            for packet in packets { try bench.send(packet) }
            return try Bench.read(session, 6 * packets.count)
        }

        try #require(seen.count == 6 * packets.count)
        for (place, verdict) in Verdict.allCases.enumerated() {
            let one = seen[6 * place..<6 * place + 6]
            #expect(
                one.map(\.point) == [
                    "start", "first:entry", "first:exit", "choose:entry", "choose:exit", "end",
                ])
            #expect(one.map(\.frame.verdict) == [nil, nil, .pass, nil, verdict, verdict])
            #expect(one.allSatisfy { $0.bytes == packets[place].bytes })
            #expect(one.allSatisfy { $0.frame.record.length == packets[place].bytes.count })
            #expect(Set(one.map(\.frame.record.packet)).count == 1)
        }
        #expect(Set(seen.map(\.frame.record.packet)).count == packets.count)
        let times = seen.map(\.frame.wallTime)
        #expect(times == times.sorted())
    }

    @Test("what was read, lost and seen adds up at every point")
    func totals() throws {
        let bench = try Bench()
        // From before anything ran on it.
        let interface = try bench.bench.namespace.run { try Interface(named: "tap") }
        try bench.load("pass", as: "first")
        try bench.load("choose")
        try bench.send(ChainBench.packet(for: .drop), times: 3)
        let selection = TapSelection(start: true, end: true, allExits: true)
        let request = Bench.request(selection) {
            $0.verdicts = [.drop]
            $0.bufferSize = 128 << 10
        }

        let totals = try bench.bench.namespace.run {
            let session = try CaptureSession(request, on: interface)
            try bench.send(ChainBench.packet(for: .drop, length: 1000), times: 400)
            try bench.send(ChainBench.packet(for: .pass), times: 7)
            var count: UInt64 = 0
            let totals = try session.end { _, _ in count += 1 }
            #expect(totals.captured == count)
            return totals
        }

        func point(_ kind: TapPoint.Kind, _ member: String = "") -> CaptureTotals.Point? {
            totals.points.first { $0.point == TapPoint(kind, member: member) }
        }
        #expect(totals.points.count == 5)
        #expect(point(.end, "first")?.seen == 0)
        #expect(totals.points.filter { $0.seen == 407 }.count == 4)
        // At the start there is no verdict yet.
        #expect(point(.start).map { $0.captured + $0.lost } == 407)
        #expect(point(.exit, "first").map { $0.captured + $0.lost } == 0)
        #expect(point(.exit, "choose").map { $0.captured + $0.lost } == 400)
        let ends = totals.points.filter { $0.point.kind == .end }
        #expect(ends.reduce(0) { $0 + $1.captured + $1.lost } == 400)
        #expect(totals.lost > 0)
    }

    @Test("what came to a point is counted on when another member takes the name")
    func seenOfTwo() throws {
        let bench = try Bench()
        try bench.load("pass", as: "one")
        try bench.load("pass", as: "two")
        try bench.send(FilterBench.udp(53), times: 5)

        try bench.capturing(Bench.request(TapSelection(allExits: true))) { session in
            func seen(_ count: Int) throws -> UInt64? {
                try bench.send(FilterBench.udp(53), times: count)
                // Until the chain was looked at again.
                let deadline = ContinuousClock.now + .milliseconds(700)
                while ContinuousClock.now < deadline {
                    _ = try session.read(milliseconds: 100) { _, _ in }
                }
                return try session.totals().points.first { $0.point.member == "one" }?.seen
            }
            let first = try seen(3)
            try bench.bench.edit("tap") { editor throws(XDPError) in try editor.unload(["one"]) }
            try bench.load("pass", as: "one")
            // Once less than the former one had, then more.
            let second = try seen(4)
            let third = try seen(9)
            #expect([first, second, third] == [3, 7, 16])
        }
    }

    /// Nanoseconds since 1970.
    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    @Test("time stamps are the clock's, to the millisecond")
    func time() throws {
        let bench = try Bench()
        let millisecond: UInt64 = 1_000_000

        try bench.capturing(Bench.request(TapSelection(end: true))) { session in
            for _ in 0..<3 {
                let before = Self.now()
                try bench.send(FilterBench.udp(53))
                let after = Self.now()
                let seen = try Bench.read(session, 1)
                let time = try #require(seen.first?.frame.wallTime)
                #expect(time + millisecond > before && time < after + millisecond)
            }
        }
    }

    @Test("an interface without a program has an empty chain for the time, and none afterwards")
    func empty() throws {
        let bench = try Bench()

        try bench.capturing(Bench.request(TapSelection(start: true, end: true))) { session in
            #expect(session.notes.contains { $0.contains("nothing was attached to tap") })
            try bench.send(FilterBench.udp(53))
            let seen = try Bench.read(session, 2)
            #expect(seen.map(\.point) == ["start", "end"])
            #expect(seen.last?.frame.verdict == .pass)
        }

        guard case .none = try bench.bench.occupant("tap") else {
            Issue.record("something is attached")
            return
        }
    }

    @Test("what somebody else attached goes on, is captured, and is given back")
    func foreign() throws {
        let bench = try Bench()
        let loader = try ForeignLoader(bench.bench, "drop", on: "tap")

        try bench.capturing(Bench.request(TapSelection(end: true))) { session in
            #expect(session.notes.contains { $0.contains("which somebody else loaded") })
            try bench.send(FilterBench.udp(53))
            let seen = try Bench.read(session, 1)
            #expect(seen.first?.frame.verdict == .drop)
        }

        guard case .foreign(let program) = try bench.bench.occupant("tap") else {
            Issue.record("it was not given back")
            return
        }
        #expect(program.information.id == loader.programID)
        loader.end()
    }

    @Test("only packets that match the expression are captured, of which the sample takes its share")
    func expression() throws {
        let bench = try Bench()
        try bench.load("pass")
        let request = try Bench.request(TapSelection(end: true, allEntries: true)) {
            $0.program = try ClassicProgram(compiling: "udp port 53 and src host 192.0.2.7")
            $0.every = 2
        }

        let seen = try bench.capturing(request) { session in
            for _ in 0..<4 {
                try bench.send(FilterBench.udp(53))
                try bench.send(FilterBench.udp(53, from: "192.0.2.7"))
                try bench.send(FilterBench.udp(54, from: "192.0.2.7"))
            }
            return try Bench.read(session, 4)
        }

        #expect(seen.map(\.point) == ["pass:entry", "end", "pass:entry", "end"])
        #expect(seen.allSatisfy { $0.bytes == FilterBench.udp(53, from: "192.0.2.7").bytes })
    }

    @Test("two captures do not know of each other")
    func two() throws {
        let bench = try Bench()
        try bench.load("choose")
        let drops = Bench.request(TapSelection(end: true)) { $0.verdicts = [.drop] }
        let short = Bench.request(TapSelection(start: true)) { $0.snapLength = 20 }

        try bench.capturing(drops) { first in
            try bench.capturing(short) { second in
                try bench.send(ChainBench.packet(for: .drop))
                try bench.send(ChainBench.packet(for: .pass))
                #expect(try Bench.read(second, 2).map(\.bytes.count) == [20, 20])
            }
            #expect(try bench.taps().count == 1)
            #expect(try Bench.read(first, 1).map(\.frame.verdict) == [.drop])
            try bench.send(ChainBench.packet(for: .drop))
            #expect(try Bench.read(first, 1).map(\.frame.verdict) == [.drop])
        }
        #expect(try bench.taps().isEmpty)
        #expect(try bench.bench.chain("tap").manifest.chain.members.map(\.name) == ["choose"])
    }

    @Test("members that come, change and go are followed")
    func members() throws {
        let bench = try Bench()
        try bench.load("pass", as: "one")

        try bench.capturing(Bench.request(TapSelection(end: true, allExits: true))) { session in
            func exits() throws -> [String] {
                try bench.send(FilterBench.udp(53))
                var names: [String] = []
                let deadline = ContinuousClock.now + .seconds(5)
                while names.last?.hasPrefix("end") != true, ContinuousClock.now < deadline {
                    names += try Bench.read(session, 1).map { seen in
                        "\(seen.point) \(seen.frame.verdict?.description ?? "")"
                    }
                }
                return names
            }
            #expect(try exits() == ["one:exit pass", "end pass"])
            try bench.load("pass", as: "two")
            #expect(try exits() == ["one:exit pass", "two:exit pass", "end pass"])
            var request = LoadRequest(path: try Fixture.path("drop"))
            request.name = "two"
            try bench.bench.edit("tap") { [request] editor throws(XDPError) in
                try editor.replace("two", with: request)
            }
            #expect(try exits() == ["one:exit pass", "two:exit drop", "end drop"])
            try bench.bench.edit("tap") { editor throws(XDPError) in try editor.unload(["one"]) }
            #expect(try exits() == ["two:exit drop", "end drop"])
            #expect(session.points.count >= 4)
        }
    }

    @Test("packets of several buffers are whole", arguments: [(9000, 9014), (65_535, 65_549)])
    func buffers(mtu: UInt32, length: Int) throws {
        try KernelNeed.frags.check()
        let bench = try Bench(mtu: mtu)
        let packet = Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: length)
        let request = Bench.request(TapSelection(start: true, end: true)) { $0.bufferSize = 4 << 20 }

        let seen = try bench.capturing(request, on: "near") { session in
            try bench.bench.send([packet])
            return try Bench.read(session, 2)
        }

        #expect(seen.map(\.frame.record.length) == [UInt32(length), UInt32(length)])
        #expect(seen.allSatisfy { $0.bytes == packet.bytes })
    }

    @Test("it works in generic mode")
    func generic() throws {
        let bench = try Bench()
        let request = Bench.request(TapSelection(end: true)) { $0.mode = .generic }

        let seen = try bench.capturing(request, on: "near") { session in
            try bench.bench.send([FilterBench.udp(53)])
            return try Bench.read(session, 1)
        }

        #expect(seen.first?.bytes == FilterBench.udp(53).bytes)
    }

    @Test("it tells when its interface or its chain is gone, after what was captured until then")
    func gone() throws {
        let bench = try Bench()
        try bench.load("pass", as: "one", on: "near")
        try bench.capturing(Bench.request(TapSelection(end: true)), on: "near") { session in
            try bench.bench.edit("near") { editor throws(XDPError) in
                let taps = try editor.interface.occupant()
                guard case .chain(let active) = taps else { return }
                for tap in active.manifest.chain.taps { _ = try editor.endTap(tap.name) }
            }
            #expect(try Bench.reason(session)?.contains("took the capture out") == true)
        }
        try bench.capturing(Bench.request(TapSelection(end: true)), on: "near") { session in
            _ = try Subprocess.run("nsenter", ["--net=\(bench.bench.path)", "ip", "link", "delete", "near"])
            #expect(try Bench.reason(session) == "near is gone")
        }
    }

    @Test("when its process is killed packets go on, and the next command takes out what is left")
    func killed() throws {
        let bench = try Bench()
        try bench.load("choose")
        let worker = try Subprocess.worker(bench.bench, "tap", ["capture", "start,end"])
        #expect(try eventually { try bench.taps().count == 1 })
        let before = try bench.bench.chain("tap").counters()?.first?.total.packets ?? 0
        try bench.send(ChainBench.packet(for: .drop), times: 10)

        kill(worker.processID, SIGKILL)
        _ = try worker.wait()
        try bench.send(ChainBench.packet(for: .drop), times: 10)

        let after = try bench.bench.chain("tap").counters()?.first?.total.packets ?? 0
        #expect(after == before + 20)
        #expect(try bench.taps().count == 1)
        try bench.load("pass", as: "more")
        #expect(try bench.taps().isEmpty)
    }

    @Test("an empty chain that was there for a killed capture goes with it")
    func killedLoan() throws {
        let bench = try Bench()
        let worker = try Subprocess.worker(bench.bench, "tap", ["capture", "end"])
        #expect(try eventually { try bench.taps().count == 1 })

        kill(worker.processID, SIGKILL)
        _ = try worker.wait()
        try bench.bench.edit("tap") { editor throws(XDPError) in _ = try editor.sweepTaps() }

        guard case .none = try bench.bench.occupant("tap") else {
            Issue.record("something is attached")
            return
        }
    }
}

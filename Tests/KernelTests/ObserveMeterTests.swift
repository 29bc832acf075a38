// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import Glibc
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// The cost of members, by a meter in the chain. Needs root.
@Suite("The cost of each member")
struct ObserveMeterTests {
    private static let packet = FilterBench.udp(53)
    private static let runs: UInt32 = 102_100
    /// So many of them are measured, or one more.
    private static let measured = UInt64(runs) / UInt64(MeterCode.period)

    /// Lets packets run through what is attached, on one CPU; nanoseconds for each.
    @discardableResult
    private static func run(_ bench: ChainBench, _ repeats: UInt32 = runs) throws -> Double {
        let program = try Program(id: try bench.chain("near").programID)
        return try OnProcessor.run(0) {
            Double(try program.testRun(packet.bytes, repeats: repeats).nanoseconds)
        }
    }

    private static func load(_ bench: ChainBench, _ fixture: String, as name: String) throws {
        var request = LoadRequest(path: try Fixture.path(fixture))
        request.name = name
        try bench.edit { [request] editor throws(XDPError) in try editor.load([request]) }
    }

    private static func metering<T: Sendable>(
        _ bench: ChainBench, _ body: @Sendable (MemberMeter) throws -> T
    ) throws -> T {
        try bench.namespace.run {
            let meter = try MemberMeter(on: try Interface(named: "near"), purpose: "a test")
            let result = try body(meter)
            try meter.end()
            return result
        }
    }

    @Test("a slow member costs more than a fast one, and about as much as the chain is slower with it")
    func order() throws {
        let bench = try ChainBench()
        try Self.load(bench, "pass", as: "fast")
        let alone = try (0..<5).map { _ in try Self.run(bench) }.min() ?? 0
        try Self.load(bench, "flow_table", as: "slow")
        let both = try (0..<5).map { _ in try Self.run(bench) }.min() ?? 0
        let difference = both - alone

        let costs = try Self.metering(bench) { meter in
            var best: [String: Double] = [:]
            // What else the machine does is in some of them.
            for _ in 0..<8 {
                try Self.run(bench)
                for cost in try meter.read() ?? [] {
                    best[cost.member] = min(best[cost.member] ?? .infinity, cost.nanosecondsPerPacket)
                    #expect((Self.measured...Self.measured + 1).contains(cost.packets))
                }
            }
            #expect(try #require(meter.overhead) > 0)
            return best
        }

        let (fast, slow) = (try #require(costs["fast"]), try #require(costs["slow"]))
        #expect(slow > 2 * fast && slow > fast + 5, "\(costs)")
        #expect(slow > difference / 3 && slow < 3 * difference + 20, "\(costs), \(difference)")
        #expect(try bench.taps().isEmpty)
    }

    @Test("it goes on while members come, change and go, and loses nothing of what it measured")
    func changes() throws {
        let bench = try ChainBench()
        try Self.load(bench, "pass", as: "one")
        try Self.metering(bench) { meter in
            try Self.run(bench, Self.runs / 2)
            try Self.load(bench, "flow_table", as: "two")
            try bench.edit { editor throws(XDPError) in try editor.setCounters(.off) }
            try Self.run(bench, Self.runs / 2)

            let costs = try #require(try meter.read())
            #expect(costs.map(\.member) == ["one", "two"])
            #expect((Self.measured - 1...Self.measured + 1).contains(costs[0].packets), "\(costs)")
            #expect((Self.measured / 2 - 1...Self.measured / 2 + 1).contains(costs[1].packets), "\(costs)")
            try bench.edit { editor throws(XDPError) in try editor.unload(["one"]) }
            try Self.run(bench)
            #expect(try meter.read()?.map(\.member) == ["two"])
            #expect(try bench.taps().map(\.name) == [meter.name])
            try bench.edit { [name = meter.name] editor throws(XDPError) in
                _ = try editor.endTap(name)
            }
            #expect(try meter.read() == nil)
        }
    }

    @Test(
        "it is called once for each member and twice more, and measures also where another member comes first"
    )
    func points() throws {
        let bench = try ChainBench()
        for number in 0..<3 { try Self.load(bench, "pass", as: "m\(number)") }
        try Self.metering(bench) { meter in
            let points = try #require(try bench.taps().first).points
            #expect(
                Set(points.map(\.description)) == ["start", "m0:entry", "m0:exit", "m1:exit", "m2:exit"])
            try bench.edit { editor throws(XDPError) in try editor.move("m2", to: .first) }
            try Self.run(bench)
            #expect(try meter.read()?.map(\.member) == ["m2", "m0", "m1"])
            #expect(try #require(meter.overhead) > 0)
        }
    }

    @Test("captures beside it are as without it")
    func besideCapture() throws {
        let bench = try ChainBench()
        try Self.load(bench, "pass", as: "one")
        try Self.metering(bench) { meter in
            let interface = try Interface(named: "near")
            let request = CaptureBench.request(CaptureBench.everywhere) { $0.every = 1000 }
            let session = try CaptureSession(request, on: interface)
            try Self.run(bench)
            let costs = try #require(try meter.read())
            var seen: [String: Int] = [:]
            _ = try session.end { frame, _ in seen[frame.point.description, default: 0] += 1 }

            #expect((Self.measured...Self.measured + 1).contains(costs.first?.packets ?? 0), "\(costs)")
            #expect(seen == ["start": 102, "one:entry": 102, "one:exit": 102, "end": 102])
        }
    }

    /// The meters in the chain on `tap`.
    private static func meters(_ bench: ChainBench) throws -> [Tap] {
        try bench.taps("tap").filter { $0.name.hasPrefix("top-") }
    }

    @Test(
        "top --members takes its meter out when a signal ends it, and what is left of a killed one goes next")
    func ends() throws {
        let bench = try ChainBench(withTAP: true)
        let path = try Fixture.path("pass")
        try bench.edit("tap") { editor throws(XDPError) in try editor.load([LoadRequest(path: path)]) }
        for signal in [SIGINT, SIGTERM, SIGKILL] {
            let process = try Subprocess(
                Subprocess.binary("xdpctl"),
                ["top", "tap", "--members", "--every", "0.2", "--netns", bench.path])
            #expect(try eventually { try Self.meters(bench).count == 1 })
            usleep(300_000)
            kill(process.processID, signal)
            let result = try process.wait()
            try bench.tap?.write(Self.packet)
            guard signal == SIGKILL else {
                #expect(result.status == 0, "\(result)")
                #expect(try Self.meters(bench).isEmpty)
                continue
            }
            #expect(try Self.meters(bench).map { $0.hasOwner() } == [false])
            let status = try bench.xdpctl("status", "tap")
            #expect(status.status == 0 && !status.output.contains("top-"), "\(status)")
            #expect(try Self.meters(bench).isEmpty)
        }
        #expect(try bench.chain("tap").counters()?.first?.total.packets == 3)
    }

    @Test("top --members prints what each member costs; somebody else's program is given back, and says so")
    func foreign() throws {
        let bench = try ChainBench(withTAP: true)
        let loader = try ForeignLoader(bench, "drop", on: "tap")
        defer { loader.end() }

        let plain = try bench.xdpctl("top", "--once", "--every", "0.2", "--json")
        #expect(!plain.output.contains("notes"), "\(plain)")
        let process = try Subprocess(
            Subprocess.binary("xdpctl"),
            ["top", "--members", "--once", "--every", "3", "--json", "--netns", bench.path])
        #expect(try eventually { try Self.meters(bench).count == 1 })
        for _ in 0..<3000 { try bench.tap?.write(Self.packet) }
        let result = try process.wait()

        try CommandSchemas.check(["top", "--json"], result)
        let output = try JSONValue(parsing: result.output)
        guard case .string(let note)? = output["notes"]?[0] else { throw NoChain() }
        #expect(note.hasPrefix("tap: ") && note.contains("somebody else"), "\(result)")
        #expect(output["interfaces"]?[0]?["members"]?[0]?["nanoseconds_per_packet"] != nil, "\(result)")
        guard case .foreign(let program) = try bench.occupant("tap") else { throw NoChain() }
        #expect(program.information.id == loader.programID)
        let text = try bench.xdpctl("top", "--members", "--once", "--every", "0.2")
        #expect(
            text.status == 0 && text.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)")
    }
}

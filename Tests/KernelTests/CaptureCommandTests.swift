// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import Netlink
import Packets
import TestSupport
import Testing
import XDP

@testable import Capture

/// `xdpctl capture` on a TAP device, on which a packet has run when it is written. Needs root.
@Suite("The capture command")
struct CaptureCommandTests {
    private static let udp = Packet.ethernet().ipv4().udp(from: 4000, to: 53, payload: [1, 2, 3, 4])
    private static let tcp = Packet.ethernet().ipv4().tcp(from: 4000, to: 80)
    private static let udpLine = "udp 192.0.2.1:4000 > 198.51.100.7:53 data 4 len 46"

    private static func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    // MARK: - Text

    @Test(
        "prints a line for each packet, with time, point and verdict, and ends after as many as were asked for"
    )
    func lines() throws {
        let bench = try CaptureBench()
        let capture = try CaptureProcess(bench, ["-c", "2", "udp", "port", "53"])
        try bench.send(Self.tcp)
        try bench.send(Self.udp, times: 3)
        let result = try capture.end()

        #expect(result.status == 0, "\(result)")
        let lines = Self.lines(result.output)
        #expect(lines.count == 2)
        for line in lines {
            #expect(line.contains(#/^\d\d:\d\d:\d\d\.\d{6} end pass udp 192\.0\.2\.1:4000 > /#), "\(line)")
            #expect(line.count <= 80)
        }
        #expect(result.errors.hasPrefix("capturing on tap at end; Ctrl-C ends\nnothing was attached to tap"))
        #expect(result.errors.contains("\n2 packets captured at end, 0 lost"))
        #expect(try bench.taps().isEmpty)
    }

    @Test("a packet is seen at every point, with the verdict that it has there, and who gave it at the end")
    func points() throws {
        let bench = try CaptureBench()
        try bench.load("choose", as: "ids")
        try bench.load("pass", as: "lb")
        let capture = try CaptureProcess(bench, ["--at", "start,all:entry,all:exit,end", "-t", "-c", "10"])
        try bench.send(ChainBench.packet(for: .drop))
        try bench.send(ChainBench.packet(for: .pass))
        try bench.send(ChainBench.packet(for: .drop))
        let result = try capture.end()

        let words = Self.lines(result.output).map {
            $0.split(separator: " ").prefix(2).joined(separator: " ")
        }
        #expect(
            words == [
                "start -", "ids:entry -", "ids:exit drop", "ids:end drop",
                "start -", "ids:entry -", "ids:exit pass", "lb:entry -", "lb:exit pass", "lb:end pass",
            ], "\(result)")
        #expect(result.errors.contains(#/\nlb:end\s+1\s+0/#), "\(result)")
    }

    @Test("only some verdicts, of some points")
    func verdicts() throws {
        let bench = try CaptureBench()
        try bench.load("choose", as: "ids")
        let capture = try CaptureProcess(bench, ["--at", "ids:exit", "--verdict", "drop,aborted", "-c", "2"])
        for verdict in [Verdict.pass, .aborted, .tx, .drop] {
            try bench.send(ChainBench.packet(for: verdict))
        }
        let result = try capture.end()

        #expect(result.status == 0)
        let lines = Self.lines(result.output)
        #expect(
            lines.count == 2 && lines[0].contains(" ids:exit aborted udp ")
                && lines[1].contains(" ids:exit drop "))
    }

    @Test("lines are printed as they are asked for")
    func styles() throws {
        let bench = try CaptureBench()
        let capture = try CaptureProcess(bench, ["-tteqXn", "-s", "40", "-c", "1"])
        try bench.send(Self.tcp)
        let lines = Self.lines(try capture.end().output)
        #expect(
            lines.first?.contains(
                #/^\d+\.\d{6} end pass 02:00:00:00:00:01 > 02:00:00:00:00:02 tcp 192\.0\.2\.1:4000 > 198\.51\.100\.7:80 \[\|tcp\] len 54$/#
            )
                == true)
        #expect(lines.count == 4 && lines[1].hasPrefix("\t0x0000:  0200 0000 0002 0200"))
    }

    @Test("a sample, cut short, in generic mode, printed and written at once")
    func together() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let capture = try CaptureProcess(
            bench,
            [
                "--every", "3", "--mode", "generic", "--buffer", "1M", "--at", "start,end", "-s", "40", "-c",
                "6",
                "-w", "\(directory.path)/a.pcapng", "-U", "--print", "-ttt", "-q", "-x", "udp",
            ])
        let mode = try bench.bench.namespace.run { () throws in
            var route = try RouteSocket()
            return try route.link(named: "tap").attachments.first?.mode
        }
        #expect(mode == .generic)
        // Each CPU has a sample of its own.
        try OnProcessor.run(0) {
            for number in 1...20 {
                try bench.send(Packet.ethernet().ipv4().udp(from: 7, to: UInt16(number)))
                try bench.send(Self.tcp)
            }
        }
        let result = try capture.end()

        #expect(result.status == 0, "\(result)")
        let lines = Self.lines(result.output)
        let packets = lines.filter { !$0.hasPrefix("\t") }
        let ends = packets.map { $0.split(separator: " ").dropFirst().joined(separator: " ") }
        #expect(
            ends
                == [3, 6, 9].flatMap { port in
                    ["start - ", "end pass "].map {
                        "\($0)udp 192.0.2.1:7 > 198.51.100.7:\(port) len 42"
                    }
                })
        #expect(packets.first?.hasPrefix("0.000000 ") == true)
        #expect(packets.allSatisfy { $0.contains(#/^\d\.\d{6} /#) })
        #expect(lines.count == 6 * 4 && lines[1].hasPrefix("\t0x0000:  0200 0000 0002 "))
        let tshark = try Subprocess.run(
            "tshark",
            [
                "-n", "-r", "\(directory.path)/a.pcapng", "-T", "fields", "-e", "frame.interface_name", "-e",
                "frame.cap_len", "-e", "frame.len", "-e", "udp.dstport",
            ])
        #expect(
            Self.lines(tshark.output)
                == [3, 6, 9].flatMap { port in
                    ["start", "end"].map { "tap \($0)\t40\t42\t\(port)" }
                })
    }

    // MARK: - JSON

    @Test("every line of --json keeps to the schema, and says what the text says")
    func json() throws {
        let bench = try CaptureBench()
        try bench.load("choose", as: "ids")
        let capture = try CaptureProcess(bench, ["--at", "ids", "--json", "-x", "-c", "2", "ip"])
        try bench.send(ChainBench.packet(for: .drop))
        let result = try capture.end()

        #expect(result.status == 0, "\(result)")
        let schema = try JSONSchema("capture.json", in: JSONSchema.documented())
        let values = try Self.lines(result.output).map { try JSONValue(parsing: $0) }
        for value in values { #expect(try schema.problems(value) == []) }
        #expect(
            values.map { $0["event"] } == ["capturing", "packet", "packet", "statistics"].map { .string($0) })
        #expect(values[0]["filter"] == .string("ip"))
        #expect(values[1]["point"] == .string("entry") && values[1]["verdict"] == nil)
        #expect(values[2]["point"] == .string("exit") && values[2]["verdict"] == .string("drop"))
        #expect(values[1]["packet_id"] == values[2]["packet_id"] && values[1]["member"] == .string("ids"))
        let digits = HexDump.text(ChainBench.packet(for: .drop).bytes)
        #expect(values[1]["data"] == .string(digits))
        #expect(result.errors == "")
    }

    @Test("--list shows the points and who captures")
    func list() throws {
        let bench = try CaptureBench()
        let path = bench.bench.path
        let empty = try Subprocess.xdpctl("capture", "tap", "--list", "--netns", path)
        #expect(empty.output.hasPrefix("points on tap: start, end\nnothing is attached"), "\(empty)")
        try bench.load("pass", as: "ids")
        let capture = try CaptureProcess(bench, ["--at", "ids:exit", "tcp port 80"])
        let text = try Subprocess.xdpctl("capture", "tap", "--list", "--netns", path)
        let json = try Subprocess.xdpctl("capture", "tap", "--list", "--json", "--netns", path)
        _ = try capture.end(by: SIGINT)

        #expect(text.output.contains("points on tap: start, ids:entry, ids:exit, end\n"), "\(text)")
        #expect(
            text.output.contains("process \(capture.processID)\n") && text.output.contains("at ids:exit\n"))
        #expect(text.output.contains("'tcp port 80'"))
        guard case .array(let captures)? = try JSONValue(parsing: json.output)["captures"] else {
            Issue.record("\(json)")
            return
        }
        #expect(captures.map { $0["points"] } == [.array([.string("ids:exit")])])
        #expect(captures.map { $0["is_alive"] } == [.bool(true)])
    }

    // MARK: - The end

    @Test(
        "signals end it as it should end: the chain is as before, the counts are told",
        arguments: [SIGINT, SIGTERM, SIGHUP])
    func signals(number: Int32) throws {
        let bench = try CaptureBench()
        let capture = try CaptureProcess(bench, [])
        try bench.send(Self.udp)
        let result = try capture.end(by: number)

        #expect(result.status == 0, "\(result)")
        #expect(result.output.hasSuffix(" end pass \(Self.udpLine)\n"))
        #expect(result.errors.contains("1 packet captured at end, 0 lost"))
        guard case .none = try bench.bench.occupant("tap") else {
            Issue.record("the chain stayed")
            return
        }
    }

    @Test("whoever ignores SIGHUP, as nohup(1) has it, goes on")
    func withoutTerminal() throws {
        let bench = try CaptureBench()
        let capture = try CaptureProcess(
            bench, shell: "trap '' HUP; exec \"$1\" capture tap --netns \"$2\"")
        capture.signal(SIGHUP)
        usleep(300_000)
        try bench.send(Self.udp)
        let result = try capture.end(by: SIGINT)
        #expect(result.status == 0 && Self.lines(result.output).count == 1, "\(result)")
    }

    @Test("it ends by itself after a time")
    func duration() throws {
        let bench = try CaptureBench()
        let start = ContinuousClock.now
        let result = try CaptureProcess(bench, ["--duration", "1s"]).end()
        #expect(result.status == 0 && result.errors.contains("0 packets captured at end"), "\(result)")
        #expect(ContinuousClock.now - start >= .seconds(1))
        // Of several points none is named where nothing was seen.
        let idle = try CaptureProcess(bench, ["--at", "all", "--for", "1s"]).end()
        #expect(idle.status == 0 && idle.errors.hasSuffix("\n0 packets captured, 0 lost\n"), "\(idle)")
    }

    @Test("a reader that goes ends it")
    func readerGone() throws {
        let bench = try CaptureBench()
        let capture = try CaptureProcess(bench, shell: "$1 capture tap --netns $2 | head -n 1")
        try bench.send(Self.udp)
        // Also while no packets come.
        let result = try capture.end()
        #expect(result.status == 0, "\(result)")
        #expect(Self.lines(result.output).count == 1)
        #expect(try bench.taps().isEmpty)
    }

    @Test("an interface that vanishes ends it with status 1 and all packets, and the file is whole")
    func vanished() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/a.pcapng"
        let capture = try CaptureProcess(bench, on: "near", ["--json", "-w", path, "--print", "udp port 9"])
        try bench.bench.send([Packet.ethernet().ipv4().udp(to: 9)])
        usleep(300_000)
        try bench.bench.namespace.run {
            _ = try Subprocess.run("nsenter", ["--net=\(bench.bench.path)", "ip", "link", "del", "near"])
        }
        let result = try capture.end()

        #expect(result.status == 1, "\(result)")
        let events = try Self.lines(result.output).map { try JSONValue(parsing: $0)["event"] }
        #expect(events == ["capturing", "packet", "gone", "statistics"].map { .string($0) })
        #expect(result.output.contains("near is gone"))
        let capinfos = try Subprocess.run("capinfos", [path])
        #expect(capinfos.output.contains("Number of packets:   1") && capinfos.errors == "", "\(capinfos)")
        #expect(capinfos.output.contains("Number of stat entries = 1"))
    }

    @Test("killed, it leaves packets alone and a readable file; the next command cleans up")
    func killed() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let capture = try CaptureProcess(bench, ["-w", "\(directory.path)/a.pcapng"])
        try bench.send(Self.udp, times: 3)
        usleep(500_000)
        #expect(try capture.end(by: SIGKILL).status == -SIGKILL)
        try bench.send(Self.udp)
        #expect(try bench.taps().count == 1)

        let read = try Subprocess.xdpctl("capture", "-r", "\(directory.path)/a.pcapng")
        #expect(Self.lines(read.output).count == 3, "\(read)")
        let tshark = try Subprocess.run("tshark", ["-n", "-r", "\(directory.path)/a.pcapng"])
        #expect(Self.lines(tshark.output).count == 3)
        let next = try CaptureProcess(bench, ["-c", "1"])
        #expect(try bench.taps().count == 1)
        try bench.send(Self.udp)
        #expect(try next.end().status == 0)
        #expect(try bench.taps().isEmpty)
    }

    @Test("two captures at once are independent of each other")
    func several() throws {
        let bench = try CaptureBench()
        let first = try CaptureProcess(bench, ["-c", "1", "tcp"])
        let second = try CaptureProcess(bench, ["-c", "2", "--at", "start"])
        try bench.send(Self.udp)
        try bench.send(Self.tcp)
        let results = [try first.end(), try second.end()]
        #expect(results.map(\.status) == [0, 0], "\(results)")
        #expect(results.map { Self.lines($0.output).count } == [1, 2])
        guard case .none = try bench.bench.occupant("tap") else {
            Issue.record("the chain stayed")
            return
        }
    }

    @Test("losses are told while it runs and at the end, and stand in the file")
    func losses() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let capture = try CaptureProcess(bench, ["-w", "\(directory.path)/a.pcapng", "--buffer", "128K"])
        capture.signal(SIGSTOP)
        let large = Packet.ethernet().ipv4().udp().padded(to: 1400)
        try bench.send(large, times: 3000)
        capture.signal(SIGCONT)
        usleep(2_500_000)
        let result = try capture.end(by: SIGINT)

        #expect(result.status == 0)
        #expect(result.errors.contains(#/[\d ]+ packets lost at end, for want of room\n/#), "\(result)")
        let read = try Subprocess.run(
            Subprocess.binary("xdpctl"), ["capture", "-r", "\(directory.path)/a.pcapng", "--json"])
        let last = try JSONValue(parsing: Self.lines(read.output).last ?? "")
        guard case .integer(let lost)? = last["lost"], case .integer(let captured)? = last["captured"] else {
            Issue.record("\(last)")
            return
        }
        #expect(lost > 0 && lost + captured == 3000)
        // The block of statistics, as tshark takes it apart.
        let block = "pcapng.options.option.data.interface"
        let found = try Subprocess.run(
            "tshark",
            [
                "-r", "\(directory.path)/a.pcapng", "-X", "read_format:MIME Files Format", "-T", "fields",
                "-e",
                "\(block).dropped", "-e", "\(block).accepted_by_filter", "-e", "\(block).delivered_to_user",
            ])
        #expect(Self.lines(found.output) == ["\(lost)\t3000\t\(captured)"], "\(found)")
    }

    // MARK: - Refusals

    @Test(
        "what makes no sense is wrong usage, and touches nothing",
        arguments: [
            ["tap", "--at", "nowhere:else:here"], ["tap", "--verdict", "dropp"], ["tap", "-c", "0"],
            ["tap", "-C", "10M"],
            ["tap", "-w", "/nonexistent/x", "-C", "10"], ["tap", "-w", "-", "-G", "5"],
            ["tap", "-w", "-", "--json"],
            ["tap", "-W", "3", "-w", "x"], ["tap", "tcp prot 5"], ["tap", "--every", "0"], [],
            ["-r", "x", "--every", "5"], ["tap", "--buffer", "10"], ["tap", "--duration", "soon"],
        ])
    func usage(words: [String]) throws {
        let result = try Subprocess.run(Subprocess.binary("xdpctl"), ["capture"] + words)
        #expect(result.status == 2, "\(result)")
        #expect(result.output == "" && result.errors.count > 20)
    }

    @Test("a member that is not there is refused, and the chain stays")
    func unknownMember() throws {
        let bench = try CaptureBench()
        try bench.load("pass", as: "ids")
        let result = try Subprocess.xdpctl("capture", "tap", "--at", "idz:exit", "--netns", bench.bench.path)
        #expect(result.status == 3 && result.errors.contains("idz"), "\(result)")
        #expect(try bench.taps().isEmpty)
    }

    @Test("a file that cannot be written leaves the interface as it was")
    func unwritable() throws {
        let bench = try CaptureBench()
        let result = try Subprocess.xdpctl(
            "capture", "tap", "-w", "/nonexistent/a.pcapng", "--netns", bench.bench.path)
        #expect(result.status == 1 && result.errors.contains("No such file or directory"), "\(result)")
        guard case .none = try bench.bench.occupant("tap") else {
            Issue.record("the chain stayed")
            return
        }
    }

    @Test("without rights the error names what is missing")
    func withoutRights() throws {
        let bench = try CaptureBench()
        let result = try Subprocess.run(
            "nsenter",
            [
                "--net=\(bench.bench.path)", "setpriv", "--bounding-set=-bpf,-sys_admin,-net_admin",
                "--inh-caps=-bpf,-sys_admin,-net_admin", Subprocess.binary("xdpctl"), "capture", "tap",
            ])
        #expect(result.status == 1 && result.errors.contains("CAP_"), "\(result)")
    }
}

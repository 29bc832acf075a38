// SPDX-License-Identifier: Apache-2.0
import Capture
import Glibc
import Packets
import TestSupport
import Testing
import XDP

/// `xdpctl capture -r` of files that others wrote, whole and damaged ones. Needs no root.
@Suite("Reading capture files")
struct CaptureReadCommandTests {
    private static let tcp = Packet.ethernet().ipv4(identification: 7).tcp(
        from: 4000, to: 80, payload: [0x41, 0x42, 0xff]
    ).bytes
    private static let udp = Packet.ethernet().ipv4().udp(from: 4000, to: 53, payload: [1]).bytes
    /// 2026-11-23 01:02:03 UTC.
    private static let second: UInt64 = 1_795_395_723

    private static func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    /// 5:45 hours before UTC, whatever the machine has.
    private static func read(_ path: String, _ words: String...) throws -> Subprocess.Result {
        try Subprocess.run(
            "env", ["TZ=XXX-5:45", Subprocess.binary("xdpctl"), "capture", "-r", path] + words)
    }

    private static func tshark(_ path: String, _ fields: String...) throws -> [String] {
        let result = try Subprocess.run(
            "tshark",
            ["-n", "-r", path, "-T", "fields", "-E", "separator=|"] + fields.flatMap { ["-e", $0] })
        let complaints = lines(result.errors).filter { !$0.hasPrefix("Running as user \"root\"") }
        #expect(result.status == 0 && complaints.isEmpty, "\(complaints)")
        return lines(result.output)
    }

    // MARK: - Text

    /// Two packets a quarter of a second apart, in a file of pcap.
    private static func twoPackets(_ directory: TemporaryDirectory) throws -> String {
        var writer = CaptureWriter(isBigEndian: true)
        writer.header(isNano: true)
        writer.record(tcp, length: 1500, seconds: second, fraction: 123_456_789)
        writer.record(udp, seconds: second, fraction: 373_456_788)
        return try directory.write("a.pcap", writer.bytes)
    }

    @Test(
        "lines are as the options want them",
        arguments: [
            ("", "06:47:03.123456 tcp 192.0.2.1:4000 > 198.51.100.7:80 [S] seq 1 win 65535 data 3 len 1500"),
            ("-t -q", "tcp 192.0.2.1:4000 > 198.51.100.7:80 [S] len 1500"),
            (
                "-t -e -q",
                "02:00:00:00:00:01 > 02:00:00:00:00:02 tcp 192.0.2.1:4000 > 198.51.100.7:80 [S] len 1500"
            ),
            (
                "-t -v -q",
                "tcp 192.0.2.1:4000 > 198.51.100.7:80 [S] seq 1 win 65535 data 3 ttl 64 id 7 len 1500"
            ),
            ("-tt -q", "1795395723.123456 tcp 192.0.2.1:4000 > 198.51.100.7:80 [S] len 1500"),
            ("-ttt -q", "0.000000 tcp 192.0.2.1:4000 > 198.51.100.7:80 [S] len 1500"),
            ("-tttt -q", "2026-11-23 06:47:03.123456 tcp 192.0.2.1:4000 > 198.51.100.7:80 [S] len 1500"),
            ("-ttttt -qnnl", "0.000000 tcp 192.0.2.1:4000 > 198.51.100.7:80 [S] len 1500"),
        ])
    func styles(options: String, expected: String) throws {
        let directory = try TemporaryDirectory()
        let path = try Self.twoPackets(directory)
        let words = options.split(separator: " ").map(String.init)
        let result = try Subprocess.run(
            "env", ["TZ=XXX-5:45", Subprocess.binary("xdpctl"), "capture", "-r", path] + words + ["-c", "1"])
        #expect(result.status == 0 && result.output == expected + "\n", "\(result)")
        #expect(result.errors == "1 packet\n")
    }

    @Test("times between packets, and the bytes of packets")
    func timesAndBytes() throws {
        let directory = try TemporaryDirectory()
        let path = try Self.twoPackets(directory)
        for option in ["-ttt", "-ttttt"] {
            let lines = Self.lines(try Self.read(path, option, "-q").output)
            #expect(lines.map { $0.prefix(8) } == ["0.000000", "0.249999"])
        }
        let both = try Self.read(path, "-t", "-q", "-X", "-s", "20", "tcp").output
        #expect(
            Self.lines(both) == [
                "ip [|ip] len 1500",
                "\t0x0000:  0200 0000 0002 0200 0000 0001 0800 4500  ..............E.",
                "\t0x0010:  002b 0007\(String(repeating: " ", count: 32)).+..",
            ])
        let digits = try Self.read(path, "-t", "-q", "-x", "udp").output
        #expect(
            Self.lines(digits).dropFirst().map { $0.split(separator: " ").dropFirst().joined() }.joined()
                == HexDump.text(Self.udp))
    }

    @Test("of an expression, all words count, also on frames that were cut")
    func expression() throws {
        let directory = try TemporaryDirectory()
        let path = try Self.twoPackets(directory)
        func count(_ words: String...) throws -> Int {
            Self.lines(
                try Subprocess.run(Subprocess.binary("xdpctl"), ["capture", "-r", path] + words).output
            ).count
        }
        #expect(try count("ip") == 2)
        #expect(try count("tcp", "or", "udp", "port", "53") == 2)
        #expect(try count("tcp and (port 80 or port 81)") == 1)
        #expect(try count("greater 1000") == 1 && count("not greater 1000") == 1)
        #expect(try count("ether[1400] = 0") == 0)
        let wrong = try Self.read(path, "tcp prot 5")
        #expect(wrong.status == 2 && wrong.output == "", "\(wrong)")
    }

    // MARK: - Files of others

    /// Two sections of different byte orders, with clocks of their own, blocks that nobody knows, and packets in all three ways.
    private static func sections(firstIsBigEndian: Bool) -> [UInt8] {
        var first = CaptureWriter(isBigEndian: firstIsBigEndian)
        first.section()
        first.block(0xbad, [UInt8](repeating: 7, count: 100_000))
        first.interface(name: "eth0")
        first.interface(name: "eth0 ids:exit", resolution: 9)
        // A private block, with a number of its maker.
        first.block(0x4000_0bad, first.number(32473, 4) + [1, 2, 3])
        first.packet(
            tcp, interface: 1, time: second * 1_000_000_000 + 5, length: 1500, queue: 3,
            options: first.option(1, Array("seen".utf8)) + first.option(5, first.number(4097, 8))
                + first.option(7, [2] + first.number(1, 8)) + first.option(0x8bad, [1, 2, 3, 4]))
        first.packet(udp, time: second * 1_000_000)
        first.statistics(interface: 1, received: 70, lost: 9)
        var second = CaptureWriter(isBigEndian: !firstIsBigEndian)
        second.section()
        second.interface(snapLength: 65_535, name: "lan 2", offset: 10)
        // The obsolete block: an interface and lost packets of 2 bytes each.
        let time = (Self.second - 10) * 1_000_000
        second.block(
            2,
            second.number(0, 2) + second.number(3, 2) + second.number(time >> 32, 4)
                + second.number(time & 0xffff_ffff, 4) + second.number(UInt64(udp.count), 4)
                + second.number(UInt64(udp.count), 4) + udp)
        second.block(3, second.number(UInt64(udp.count), 4) + udp)
        return first.bytes + second.bytes
    }

    @Test("pcapng of both byte orders, with several sections and unknown blocks", arguments: [false, true])
    func foreign(isBigEndian: Bool) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("a.pcapng", Self.sections(firstIsBigEndian: isBigEndian))
        let copy = "\(directory.path)/b.pcapng"

        let result = try Self.read(path, "--json")
        #expect(result.status == 0, "\(result)")
        let schema = try JSONSchema("capture.json", in: JSONSchema.documented())
        let values = try Self.lines(result.output).map { try JSONValue(parsing: $0) }
        for value in values { #expect(try schema.problems(value) == []) }
        #expect(values.count == 5)
        #expect(
            values.map { $0["interface"] } == [
                .string("eth0"), .string("eth0"), .string("lan 2"), .string("lan 2"), nil,
            ])
        #expect(
            values.map { $0["time"] } == [
                .string("2026-11-23T01:02:03.000000005Z"), .string("2026-11-23T01:02:03.000000000Z"),
                .string("2026-11-23T01:02:03.000000000Z"), .string("1970-01-01T00:00:00.000000000Z"), nil,
            ])
        let exit = values[0]
        #expect(exit["point"] == .string("exit") && exit["member"] == .string("ids"))
        #expect(exit["verdict"] == .string("drop") && exit["packet_id"] == .integer(4097))
        #expect(exit["queue"] == .integer(3) && exit["comments"] == .array([.string("seen")]))
        #expect(exit["length"] == .integer(1500) && exit["captured"] == .integer(Int64(Self.tcp.count)))
        #expect(values[4]["lost"] == .integer(9) && values[4]["captured"] == .integer(4))
        #expect(values[4]["points"]?[0]?["seen"] == .integer(70))

        // tshark finds the same in what is made of it.
        let written = try Self.read(path, "-w", copy)
        #expect(written.status == 0 && written.errors.contains("4 packets written"), "\(written)")
        let fields = try Self.tshark(
            copy, "frame.interface_name", "frame.len", "frame.cap_len", "frame.packet_id",
            "frame.verdict.ebpf_xdp", "frame.interface_queue", "frame.comment")
        #expect(
            fields == [
                "eth0 ids:exit|1500|\(Self.tcp.count)|4097|1|3|seen",
                "eth0|\(Self.udp.count)|\(Self.udp.count)||||",
                "lan 2|\(Self.udp.count)|\(Self.udp.count)||||",
                "lan 2|\(Self.udp.count)|\(Self.udp.count)||||",
            ])
        let times = try Self.tshark(copy, "frame.time_epoch")
        #expect(
            times.prefix(3) == [
                "1795395723.000000005", "1795395723.000000000", "1795395723.000000000",
            ])
    }

    @Test("packets before a damage are shown and copied, then it is said")
    func damaged() throws {
        let directory = try TemporaryDirectory()
        var blocks = CaptureWriter()
        blocks.section()
        blocks.interface(name: "eth0")
        for _ in 0..<3 { blocks.packet(Self.udp) }
        let whole = blocks.bytes
        blocks.packet(Self.udp, interface: 7)
        blocks.packet(Self.udp)
        var plain = CaptureWriter()
        plain.header()
        for _ in 0..<3 { plain.record(Self.udp) }
        plain.bytes += [UInt8](repeating: 0xff, count: 16)
        // Frames that are none of Ethernet, behind some that are.
        var mixed = CaptureWriter()
        mixed.bytes = whole
        mixed.interface(linkType: 113)
        mixed.packet(Self.udp, interface: 1)

        for (bytes, why) in [
            (blocks.bytes, "a packet is of no interface"), (plain.bytes, "a packet of it would have"),
            (mixed.bytes, "no Ethernet frames"),
        ] {
            let (path, copy) = (try directory.write("a", bytes), "\(directory.path)/b")
            let shown = try Self.read(path, "-q")
            let said = shown.errors.replacing("\n        ", with: " ")
            #expect(shown.status == 1 && said.contains(why), "\(shown)")
            #expect(Self.lines(shown.output).count == 3)
            let copied = try Self.read(path, "-w", copy)
            #expect(copied.status == 1 && copied.errors.contains("3 packets written"), "\(copied)")
            #expect(try Self.tshark(copy, "frame.len").count == 3)
        }
        let failure = try Self.read(try directory.write("a", blocks.bytes), "--json")
        // The events of one line each, then what went wrong.
        let printed = Self.lines(failure.output)
        let events = printed.prefix { $0 != "{" }
        #expect(events.count == 4 && events.last?.contains("statistics") == true)
        let error = try JSONValue(parsing: printed.dropFirst(events.count).joined())["error"]
        #expect(error?["kind"] == .string("failed"))
    }

    @Test("a file that ends anywhere is read as far as it goes, and that is said")
    func cutShort() throws {
        let directory = try TemporaryDirectory()
        let bytes = Self.sections(firstIsBigEndian: false)
        // Within the last packet, and within the block that nobody knows.
        for (length, count) in [(bytes.count - 4, 3), (50_000, 0)] {
            let result = try Self.read(try directory.write("a", Array(bytes.prefix(length))), "-q")
            #expect(result.status == 0 && Self.lines(result.output).count == count, "\(result)")
            #expect(result.errors.contains("the file ends within a packet: it was not whole"))
        }
    }

    @Test("counts that no number holds together are no reason to fail")
    func hugeCounts() throws {
        let directory = try TemporaryDirectory()
        var writer = CaptureWriter()
        writer.section()
        for name in ["eth0 ids:exit", "eth0 ids:exit", "eth0 end"] { writer.interface(name: name) }
        for interface in 0..<3 { writer.packet(Self.udp, interface: UInt64(interface)) }
        for interface in 0..<3 {
            writer.statistics(interface: UInt64(interface), received: .max, lost: .max - 1)
        }
        let path = try directory.write("a", writer.bytes)
        let read = try Self.read(path, "-q", "-w", "\(directory.path)/b")
        #expect(read.status == 0 && read.errors.contains("18 446 744 073 709 551 615"), "\(read)")
        #expect(try Self.tshark("\(directory.path)/b", "frame.len").count == 3)
        #expect(try Self.read("\(directory.path)/b", "--json").status == 0)
    }

    // MARK: - Pipes

    @Test(
        "what stands in a pipe is shown while its writer rests, and more than was asked for is not waited for"
    )
    func restingPipe() throws {
        let directory = try TemporaryDirectory()
        let pipe = "\(directory.path)/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        // Open for both, so that it never ends.
        let writer = open(pipe, O_RDWR | O_CLOEXEC)
        defer { close(writer) }
        var file = CaptureWriter()
        file.header()
        file.record(Self.udp)
        func send() { #expect(write(writer, file.bytes, file.bytes.count) == file.bytes.count) }

        send()
        let one = try Self.read(pipe, "-t", "-c", "1")
        #expect(one.status == 0 && Self.lines(one.output).count == 1, "\(one)")

        send()
        let reader = try Subprocess(
            Subprocess.binary("xdpctl"), ["capture", "-r", pipe, "-t"])
        var buffer = [UInt8](repeating: 0, count: 1000)
        var entry = pollfd(fd: reader.output, events: Int16(POLLIN), revents: 0)
        let isShown = poll(&entry, 1, 30_000) == 1
        let count = isShown ? Glibc.read(reader.output, &buffer, buffer.count) : 0
        let line = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        #expect(line == "udp 192.0.2.1:4000 > 198.51.100.7:53 data 1 len 43\n")
        kill(reader.processID, SIGINT)
        let result = try reader.wait()
        #expect(result.status == 0 && result.errors == "1 packet\n", "\(result)")
    }
}

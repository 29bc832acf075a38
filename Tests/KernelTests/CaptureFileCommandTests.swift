// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import Packets
import TestSupport
import Testing
import XDP

@testable import Capture

/// `xdpctl capture` with files and pipes: -w, -r, rotation, full disks. Needs root for what it captures.
@Suite("Captures in files")
struct CaptureFileCommandTests {
    private static let udp = Packet.ethernet().ipv4().udp(from: 4000, to: 53, payload: [1, 2, 3, 4])

    private static func lines(_ text: String) -> [String] { text.split(separator: "\n").map(String.init) }

    private static func capture(_ words: String...) throws -> Subprocess.Result {
        try Subprocess.run(Subprocess.binary("xdpctl"), ["capture"] + words)
    }

    /// What tshark says beside packets, but for who runs it.
    private static func tshark(_ path: String, _ fields: String...) throws -> (
        lines: [String], complaints: String
    ) {
        let result = try Subprocess.run(
            "tshark",
            ["-n", "-r", path, "-T", "fields", "-E", "separator=|"] + fields.flatMap { ["-e", $0] })
        let complaints = lines(result.errors).filter { !$0.hasPrefix("Running as user \"root\"") }
        return (lines(result.output), complaints.joined(separator: "\n"))
    }

    /// A drop and a pass of two members at every point, in a file.
    private static func record(_ bench: CaptureBench, to path: String) throws -> Subprocess.Result {
        try bench.load("choose", as: "ids")
        try bench.load("pass", as: "lb")
        let capture = try CaptureProcess(bench, ["--at", "all", "-w", path, "udp"])
        try bench.send(ChainBench.packet(for: .drop))
        try bench.send(ChainBench.packet(for: .pass))
        usleep(300_000)
        return try capture.end(by: SIGINT)
    }

    @Test("a file of several points is as tshark wants it")
    func tshark() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/a.pcapng"
        let result = try Self.record(bench, to: path)

        #expect(result.status == 0 && result.errors.contains("7 packets written"), "\(result)")
        let found = try Self.tshark(
            path, "frame.interface_name", "frame.verdict.ebpf_xdp", "frame.interface_queue", "frame.comment")
        #expect(found.complaints == "")
        #expect(
            found.lines == [
                "tap start||0|", "tap ids:exit|1|0|ids: drop", "tap ids:end|1|0|ids: drop",
                "tap start||0|", "tap ids:exit|2|0|", "tap lb:exit|2|0|", "tap lb:end|2|0|",
            ])
        let ids = try Self.tshark(path, "frame.packet_id").lines
        #expect(
            ids.count == 7 && Set(ids.prefix(3)).count == 1 && Set(ids.suffix(4)).count == 1
                && ids[0] != ids[6])
        let capinfos = try Subprocess.run("capinfos", [path])
        #expect(capinfos.errors == "" && capinfos.output.contains("Filter string = udp"), "\(capinfos)")
        #expect(capinfos.output.contains("Capture application: xdpctl "))
    }

    @Test("what was written is read back, chosen by expression, point and verdict, and written again")
    func readBack() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let (path, copy) = ("\(directory.path)/a.pcapng", "\(directory.path)/b.pcapng")
        _ = try Self.record(bench, to: path)

        #expect(Self.lines(try Self.capture("-r", path).output).count == 7)
        #expect(Self.lines(try Self.capture("-r", path, "tcp").output).isEmpty)
        #expect(Self.lines(try Self.capture("-r", path, "-c", "2", "udp", "and", "ip").output).count == 2)
        let exits = try Self.capture("-r", path, "--at", "ids:exit", "-t").output
        #expect(Self.lines(exits).map { $0.prefix(14) } == ["ids:exit drop ", "ids:exit pass "])
        // A verdict is asked for where there is one.
        #expect(Self.lines(try Self.capture("-r", path, "--verdict", "drop").output).count == 4)
        let written = try Self.capture("-r", path, "-w", copy, "--at", "end,lb", "-s", "20")
        #expect(written.status == 0 && written.errors.contains("3 packets written"), "\(written)")
        let found = try Self.tshark(
            copy, "frame.interface_name", "frame.verdict.ebpf_xdp", "frame.cap_len", "frame.comment")
        #expect(found.complaints == "")
        #expect(found.lines == ["tap ids:end|1|20|ids: drop", "tap lb:exit|2|20|", "tap lb:end|2|20|"])
        // The same, from a pipe.
        let piped = try Subprocess.run(
            "bash",
            [
                "-c", "cat \"$1\" | \"$2\" capture -r - -w - udp 2>/dev/null | \"$2\" capture -r - -q", "x",
                path, Subprocess.binary("xdpctl"),
            ])
        #expect(piped.status == 0 && Self.lines(piped.output).count == 7, "\(piped)")
    }

    @Test("a pipe has packets as they come, for tshark and for tcpdump")
    func pipes() throws {
        let bench = try CaptureBench()
        let tshark = try CaptureProcess(
            bench,
            shell:
                "$1 capture tap --netns $2 -w - | tshark -n -l -i - -c 2 -T fields -e frame.interface_name -e frame.verdict.ebpf_xdp -e udp.dstport"
        )
        // tshark ends at the second packet, which it gets only if it is written at once; then the command ends.
        usleep(1_500_000)
        try bench.send(Self.udp)
        usleep(200_000)
        try bench.send(Self.udp)
        let found = try tshark.end()
        #expect(Self.lines(found.output) == ["tap end\t2\t53", "tap end\t2\t53"], "\(found)")
        #expect(try bench.taps().isEmpty)

        let tcpdump = try CaptureProcess(
            bench, shell: "$1 capture tap --netns $2 -c 1 -U -w - | tcpdump -n -r - 2>/dev/null")
        try bench.send(Self.udp)
        #expect(try tcpdump.end().output.contains("IP 192.0.2.1.4000 > 198.51.100.7.53"))
    }

    @Test("a ring of files: all are whole, the newest packets are there")
    func ring() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let capture = try CaptureProcess(
            bench, ["-w", "\(directory.path)/a.pcapng", "-C", "16K", "-W", "3", "--json"])
        for number in 0..<200 {
            try bench.send(Packet.ethernet().ipv4().udp(to: UInt16(number + 1)).padded(to: 1000))
        }
        usleep(300_000)
        let result = try capture.end(by: SIGTERM)
        let last = try JSONValue(parsing: Self.lines(result.output).last ?? "")
        guard case .integer(let files)? = last["files"] else {
            Issue.record("\(result)")
            return
        }
        #expect(files > 5)
        var ports: [Int] = []
        for number in 1...3 {
            let found = try Self.tshark("\(directory.path)/a_\(number).pcapng", "udp.dstport")
            #expect(found.complaints == "" && !found.lines.isEmpty)
            ports += found.lines.compactMap { Int($0) }
        }
        #expect(ports.sorted() == Array((201 - ports.count)...200))
        #expect(access("\(directory.path)/a_4.pcapng", F_OK) != 0)
    }

    @Test("a new file every second, also without packets")
    func everySecond() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let capture = try CaptureProcess(
            bench, ["-w", "\(directory.path)/a.pcapng", "-G", "1", "--duration", "4s"])
        try bench.send(Self.udp)
        #expect(try capture.end().status == 0)
        for number in 1...3 {
            let found = try Self.tshark("\(directory.path)/a_0000\(number).pcapng", "udp.dstport")
            #expect(found.complaints == "" && found.lines.count == (number == 1 ? 1 : 0))
        }
    }

    @Test("a file that reaches the system's limit is left with whole packets, and the error says how many")
    func limitedFile() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let (path, cut) = ("\(directory.path)/a.pcapng", "\(directory.path)/b.pcapng")
        let capture = try CaptureProcess(bench, ["-w", path])
        try bench.send(Self.udp, times: 50)
        usleep(300_000)
        _ = try capture.end(by: SIGINT)

        let result = try Subprocess.run(
            "bash",
            [
                "-c", "ulimit -f 2; exec \"$1\" capture -r \"$2\" -w \"$3\"", "x",
                Subprocess.binary("xdpctl"), path, cut,
            ])
        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("File too large"))
        let count = Self.lines(try Self.capture("-r", cut).output).count
        #expect(
            count > 5 && count < 50 && result.errors.contains("\(count) packets are written"),
            "\(count) \(result)")
        let found = try Self.tshark(cut, "frame.number")
        #expect(found.complaints == "" && found.lines.count == count)

        // Standard output may be a file that had something before: that stays.
        let former = [UInt8](repeating: 0x61, count: 100)
        let appended = try directory.write("c", former)
        let refused = try Subprocess.run(
            "bash",
            [
                "-c", "ulimit -f 2; exec \"$1\" capture -r \"$2\" -w - >> \"$3\"", "x",
                Subprocess.binary("xdpctl"), path, appended,
            ])
        #expect(refused.status == 1 && refused.errors.contains("File too large"), "\(refused)")
        let bytes = try TemporaryFile.contents(of: appended)
        #expect(Array(bytes.prefix(100)) == former)
        let rest = try Self.capture("-r", try directory.write("d", Array(bytes.dropFirst(100))))
        #expect(rest.status == 0 && !rest.errors.contains("ends within"), "\(rest)")
        #expect(Self.lines(rest.output).count > 5)
    }

    @Test("a disk that fills up while packets come ends a capture; what is on it is whole")
    func fullDisk() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        // A file system for these processes alone.
        let capture = try CaptureProcess(
            bench,
            shell: """
                exec unshare -m bash -c 'mount -t tmpfs -o size=64k none "$3" || exit 99
                    "$1" capture tap --netns "$2" -w "$3/a.pcapng"; status=$?
                    "$1" capture -r "$3/a.pcapng" -q
                    tshark -n -r "$3/a.pcapng" 2>/dev/null | wc -l; exit $status' x "$1" "$2" \(directory.path)
                """)
        try bench.send(Packet.ethernet().ipv4().udp().padded(to: 1000), times: 200)
        let result = try capture.end()

        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("No space left on device"))
        let lines = Self.lines(result.output)
        let count = lines.count - 1
        #expect((30...64).contains(count) && lines.last == "\(count)", "\(result)")
        #expect(result.errors.contains("\(count) packets are written"))
        #expect(!result.errors.contains("ends within a packet"))
        #expect(try bench.taps().isEmpty)
    }

    @Test("where packets cannot be printed the file is whole nevertheless")
    func unprintable() throws {
        let bench = try CaptureBench()
        let directory = try TemporaryDirectory()
        let path = "\(directory.path)/a.pcapng"
        try bench.load("pass", as: "ids")
        let capture = try CaptureProcess(
            bench, shell: "exec \"$1\" capture tap --netns \"$2\" -w '\(path)' --print >/dev/full")
        try bench.send(Self.udp)
        let result = try capture.end()
        #expect(result.status == 1 && result.errors.contains("Packets cannot be printed"), "\(result)")
        let last = try JSONValue(
            parsing: Self.lines(try Self.capture("-r", path, "--json").output).last ?? "")
        #expect(last["captured"] == .integer(1) && last["points"]?[0]?["seen"] == .integer(1), "\(last)")
        #expect(try bench.taps().isEmpty)
    }

    @Test("a pipe whose reader has enough ends it quietly")
    func brokenPipe() throws {
        let bench = try CaptureBench()
        let capture = try CaptureProcess(bench, shell: "\"$1\" capture tap --netns \"$2\" -w - | head -c 100")
        let result = try capture.end()
        // The beginning of a section.
        #expect(result.status == 0 && result.output.utf8.prefix(1).first == 0x0a, "\(result.errors)")
        #expect(result.errors.contains("0 packets captured at end"))
        #expect(try bench.taps().isEmpty)
    }

    @Test("a full device ends a capture with status 1, and the interface is as before")
    func fullDevice() throws {
        let bench = try CaptureBench()
        let result = try Subprocess.run(
            Subprocess.binary("xdpctl"), ["capture", "tap", "--netns", bench.bench.path, "-w", "/dev/full"])
        #expect(result.status == 1 && result.errors.contains("No space left on device"), "\(result)")
        #expect(try bench.taps().isEmpty)
    }

    @Test("what is no capture file is refused; one that was cut off is read as far as it goes")
    func damaged() throws {
        let directory = try TemporaryDirectory()
        let text = try directory.write("a.txt", "hello there")
        let refused = try Self.capture("-r", text)
        #expect(refused.status == 1 && refused.errors.contains("it is neither pcap nor pcapng"), "\(refused)")
        #expect(try Self.capture("-r", "\(directory.path)/none").errors.contains("No such file or directory"))
        let bench = try CaptureBench()
        let path = "\(directory.path)/a.pcapng"
        _ = try Self.record(bench, to: path)
        let bytes = try TemporaryFile.contents(of: path)
        let cut = try directory.write("cut.pcapng", Array(bytes.dropLast(bytes.count / 2)))
        let read = try Self.capture("-r", cut)
        #expect(read.status == 0 && read.errors.contains("the file ends within a packet"), "\(read)")
        #expect(!Self.lines(read.output).isEmpty)
    }
}

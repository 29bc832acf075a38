// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import Glibc
import Netlink
import Packets
import TestSupport
import Testing
import XDP

/// `xdpctl monitor`. Needs root.
@Suite("The command monitor")
struct MonitorCommandTests {
    /// What it prints with `--json`, as far as tests look.
    private struct Line: Decodable {
        struct Part: Decodable {
            let index: UInt32?
            let id: UInt32?
            let name: String?
            let command: String?
        }

        let event: String
        let first: Bool?
        let interface: Part?
        let target: Part?
        let program: Part?
        let process: Part?
        let count: UInt64?
        let rule: String?
        let remedy: String?
        let message: String?
        let interfaces: [String]?
    }

    private static func read(_ output: String) throws -> [Line] {
        let schema = try JSONSchema("monitor.json", in: JSONSchema.documented())
        return try output.split(separator: "\n").map { line in
            #expect(try schema.problems(JSONValue(parsing: String(line))) == [], "\(line)")
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Line.self, from: Data(line.utf8))
        }
    }

    private static func load(_ loss: LossBench, _ fixture: String, target: UInt32? = nil) throws {
        var request = LoadRequest(path: try Fixture.path(fixture))
        if let target { request.variables["target"] = "\(target)" }
        try loss.bench.edit("tap") { [request] editor throws(XDPError) in
            try editor.load([request], mode: .native)
        }
    }

    @Test("the first event of a kind is explained, what comes later is a number, and advice is given once")
    func text() throws {
        let loss = try LossBench()
        try loss.bench.setGRO(false, of: "sink")
        try Self.load(loss, "redirect", target: 4711)
        let monitor = try RunningMonitor(["tap"], in: loss.bench)

        try loss.bench.tap?.write(LossBench.packet)
        _ = try monitor.lines { $0.contains("redirect could not redirect to interface 4711: 1 packet") }
        for _ in 0..<1234 { try loss.bench.tap?.write(LossBench.packet) }
        _ = try monitor.lines { $0.contains("1 23") || $0.contains(" packets") }
        let result = try monitor.end()

        #expect(result.status == 0)
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.count <= 80 })
        #expect(lines.filter { $0.contains("do: ") }.count == 1)
        #expect(
            lines.contains("    packets were dropped: tap's network namespace has no interface 4711"),
            "\(result)")
        #expect(result.errors.contains("watching tap"))
    }

    @Test("with --json each line follows the schema, and numbers add up")
    func json() throws {
        let loss = try LossBench()
        try Self.load(loss, "aborted")
        let monitor = try RunningMonitor(["tap", "--json"], in: loss.bench)

        for _ in 0..<5000 { try loss.bench.tap?.write(LossBench.packet) }
        let result = try monitor.end()

        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let lines = try Self.read(result.output)
        #expect(lines.first?.event == "watching" && lines.first?.interfaces == ["tap"])
        let events = lines.filter { $0.event == "exception" }
        #expect(events.first?.first == true && events.dropFirst().allSatisfy { $0.first == false })
        #expect(events.reduce(0) { $0 + ($1.count ?? 0) } == 5000)
        #expect(
            events.allSatisfy {
                $0.rule == "aborted" && $0.interface?.name == "tap" && $0.program?.name == "aborted"
            })
    }

    @Test("a target that takes no packets is named, with the commands that help")
    func remedy() throws {
        let loss = try LossBench()
        try loss.bench.setGRO(false, of: "sink")
        try Self.load(loss, "redirect", target: loss.out)
        let monitor = try RunningMonitor(["--json"], in: loss.bench)

        try loss.bench.tap?.write(LossBench.packet)
        _ = try monitor.lines { $0.contains("\"target\"") }
        let lines = try Self.read(try monitor.end().output)

        let event = try #require(lines.first { $0.target != nil })
        #expect(event.target?.name == "out")
        #expect(event.remedy?.contains("oad any program on sink natively") == true, "\(event)")
        // Older kernels know no command for it.
        guard event.remedy?.hasPrefix("`") == true else { return }
        // As it is printed, from where it was printed: outside.
        try Remedy.obey(event.remedy, in: "/proc/self/ns/net")
        #expect(try loss.bench.features("sink").offloads["rx-gro"] == true)
    }

    @Test("SIGTERM and SIGINT end it as it should end, and so do the time and the number of lines")
    func ends() throws {
        let loss = try LossBench()
        try Self.load(loss, "aborted")
        for signal in [SIGTERM, SIGINT] {
            #expect(try RunningMonitor([], in: loss.bench).end(signal).status == 0)
        }
        let start = ContinuousClock.now
        let timed = try loss.bench.xdpctl("monitor", "tap", "--for", "0.5s")
        #expect(timed.status == 0 && timed.output.isEmpty, "\(timed)")
        #expect(ContinuousClock.now - start > .milliseconds(400))

        let counted = try RunningMonitor(["tap", "-c", "1", "--json"], in: loss.bench)
        try loss.bench.tap?.write(LossBench.packet)
        let result = try counted.end(nil)
        #expect(result.status == 0)
        // Older kernels lack tracepoints, which is said.
        let events = try Self.read(result.output).map(\.event).filter { $0 != "missing" }
        #expect(events == ["watching", "exception"], "\(result)")
    }

    @Test("programs that are attached, exchanged and taken off are part of the stream")
    func attachments() throws {
        let bench = try ChainBench()
        let monitor = try RunningMonitor(["near", "--json", "--every", "0.2"], in: bench)

        try bench.load("pass")
        _ = try monitor.lines { $0.contains("\"attached\"") }
        try bench.load("drop")
        _ = try monitor.lines { $0.contains("\"changed\"") }
        try bench.edit { editor throws(XDPError) in try editor.unload(nil) }
        _ = try monitor.lines { $0.contains("\"detached\"") }
        let lines = try Self.read(try monitor.end().output)

        let changes = lines.filter { ["attached", "changed", "detached"].contains($0.event) }
        #expect(changes.first?.event == "attached" && changes.last?.event == "detached")
        #expect(changes.allSatisfy { $0.interface?.name == "near" })
        #expect(changes.first { $0.event == "changed" }?.program?.name == "pass → drop")
    }

    @Test("an attachment that fails is told with who asked, what the kernel said, and what to do")
    func attachFailed() throws {
        guard let types = KernelTypes(), types.tracepoint("bpf_xdp_link_attach_failed") != nil else {
            try Test.skip("this kernel does not tell of attachments that fail (Linux 6.6)")
        }
        let bench = try ChainBench()
        var route = try RouteSocket(in: bench.namespace)
        let bridge = try route.createLink("bridge", kind: "bridge").index
        let monitor = try RunningMonitor(["--json"], in: bench)
        try bench.namespace.run {
            let program = try Program.load(.passing("it")).take()
            _ = try? XDPLink(attaching: program, toInterface: bridge, mode: .native)
        }
        _ = try monitor.lines { $0.contains("\"attach-failed\"") }
        let lines = try Self.read(try monitor.end().output)

        let event = try #require(lines.first { $0.event == "attach-failed" })
        #expect(event.rule == "attach-native" && event.first == true)
        #expect(event.message?.contains("does not support XDP in native mode") == true, "\(event)")
        #expect(event.process?.id == UInt32(getpid()) || getpid() == 1)
        #expect(event.process?.command?.isEmpty == false)
        #expect(event.remedy?.contains("--mode generic") == true)
    }

    @Test("it ends when nobody reads any more, also where nothing happens")
    func unread() throws {
        let bench = try ChainBench()
        let result = try Subprocess.run(
            "bash",
            [
                "-c", "\"$0\" monitor --json --netns \"$1\" | head -n 1; exit ${PIPESTATUS[0]}",
                Subprocess.binary("xdpctl"), bench.path,
            ])

        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(try Self.read(result.output).map(\.event) == ["watching"])
    }

    @Test("an interface that is not there, and words that mean nothing, are refused")
    func refused() throws {
        let bench = try ChainBench()
        let (_, _, failure) = try bench.failingXDPControl(["monitor", "nowhere"])
        #expect(failure.what == "nowhere cannot be looked up")
        for words in [["-c", "0"], ["--for", "soon"], ["--every", "0"]] {
            #expect(try bench.xdpctl(["monitor"] + words).status == 2)
        }
    }

    @Test(
        "a capability that is missing is named", arguments: [("bpf", "CAP_BPF"), ("perfmon", "CAP_PERFMON")])
    func capabilities(_ row: (dropped: String, named: String)) throws {
        let bench = try ChainBench()
        let dropped = "-\(row.dropped),-sys_admin"
        let result = try Subprocess.run(
            "nsenter",
            [
                "--net=\(bench.path)", "setpriv", "--bounding-set", dropped, "--inh-caps", dropped,
                Subprocess.binary("xdpctl"), "monitor", "--for", "1s",
            ])

        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("The kernel's XDP tracepoints cannot be watched"), "\(result)")
        #expect(result.errors.contains(row.named), "\(result)")
    }

    @Test("a kernel that does not show its types is told of, with what it needs")
    func withoutTypes() throws {
        let result = try Subprocess.run(
            "unshare",
            [
                "--mount", "--propagation", "private", "sh", "-c",
                "mount -t tmpfs none /sys/kernel/btf && exec \"$0\" monitor --for 1s",
                Subprocess.binary("xdpctl"),
            ])

        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("CONFIG_DEBUG_INFO_BTF"), "\(result)")
    }
}

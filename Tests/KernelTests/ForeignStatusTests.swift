// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Foundation
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

/// What `status` finds out about programs of others. Needs root, iproute2, bpftool and xdp-tools.
@Suite("Status of programs of others")
struct ForeignStatusTests {
    /// Status of `near`, for programs; the text of it has to fit the screen.
    private func program(_ bench: ChainBench) throws -> (json: PrintedProgram, text: String) {
        let json = try bench.xdpctl("status", "near", "--json")
        let text = try bench.xdpctl("status", "near")
        #expect(json.status == 0 && text.status == 0, "\(json)\(text)")
        #expect(text.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(text)")
        let report = try JSONDecoder().decode(PrintedStatus.self, from: Data(json.output.utf8))
        return (try #require(report.interfaces.first?.program), text.output)
    }

    private func run(_ bench: ChainBench, _ words: String...) throws {
        let result = try Subprocess.run("nsenter", ["--net=\(bench.path)"] + words)
        try #require(result.status == 0, "\(words): \(result)")
    }

    /// Takes everything of xdp-loader's off, with its pins.
    private func unload(_ bench: ChainBench) {
        let words = ["--net=\(bench.path)", "xdp-loader", "unload", "near", "--all"]
        _ = try? Subprocess.run("nsenter", words)
    }

    /// A directory in the BPF file system that goes with this value.
    private final class PinDirectory: Sendable {
        let path = "/sys/fs/bpf/xdp-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"

        init() throws { try BPFFileSystem.makeDirectories(path + "/deep") }

        deinit {
            for directory in [path + "/deep", path] {
                for name in BPFFileSystem.entries(of: directory) {
                    try? BPFFileSystem.unpin("\(directory)/\(name)")
                }
                try? BPFFileSystem.removeDirectory(directory)
            }
        }
    }

    @Test("the process that holds the link is named, with what it holds")
    func link() throws {
        let bench = try ChainBench()
        let holder = try Subprocess.worker(bench, "near", ["hold"])
        defer {
            kill(holder.processID, SIGKILL)
            _ = try? holder.wait()
        }
        let attached = try eventually {
            try bench.namespace.run { try Interface(named: "near").link.xdp != nil }
        }
        try #require(attached)

        let (json, text) = try program(bench)

        #expect(json.name == "held" && json.tag.count == 16 && json.link_id != nil)
        #expect(json.loaded_by_user == 0 && json.user_name == "root")
        #expect(json.loaded_seconds_ago <= 60)
        let loaded = try #require(ISO8601DateFormatter().date(from: json.loaded_at))
        #expect(abs(loaded.timeIntervalSinceNow) < 120)
        let process = try #require(json.processes.first { $0.pid == holder.processID })
        #expect(process.command == "ChainWorker" && process.holds == ["program", "link"])
        #expect(json.pins.isEmpty && !json.more_pins && json.dispatcher == nil)
        #expect(text.contains("process \(holder.processID) (ChainWorker) holds the program and the link"))
        #expect(text.contains("loaded by root "))
    }

    @Test("pins of the link and of the program are named, however deep")
    func pins() throws {
        let bench = try ChainBench()
        let stranger = try AttachedStranger(bench, byLink: true)
        let pins = try PinDirectory()
        try stranger.link?.pin(at: pins.path + "/deep/link")
        try stranger.program.pin(at: pins.path + "/program")

        let (json, text) = try program(bench)

        #expect(json.pins.map(\.path) == [pins.path + "/deep/link", pins.path + "/program"])
        #expect(json.pins.map(\.holds) == ["link", "program"])
        #expect(text.contains("\(pins.path)/deep/link pins the link"))
        #expect(json.processes.contains { $0.pid == getpid() && $0.holds == ["program", "link"] })
    }

    @Test("a program that bpftool attached is found with its pin and its whole name")
    func bpftool() throws {
        let bench = try ChainBench()
        let pins = try PinDirectory()
        let path = pins.path + "/program"
        try run(bench, "bpftool", "prog", "load", Fixture.path("long_name"), path)
        try run(bench, "bpftool", "net", "attach", "xdpdrv", "pinned", path, "dev", "near")

        let (json, text) = try program(bench)

        #expect(json.name == "program_with_a_long_name")
        #expect(json.link_id == nil && json.pins.map(\.path) == [path])
        #expect(text.contains("program_with_a_long_name"))
    }

    @Test("a program that ip attached is held by the interface alone")
    func ip() throws {
        let bench = try ChainBench()
        try run(bench, "ip", "link", "set", "near", "xdpdrv", "obj", Fixture.path("pass"), "sec", "xdp")

        let (json, text) = try program(bench)

        #expect(json.name == "pass" && json.processes.isEmpty && json.pins.isEmpty)
        #expect(text.contains("attached by netlink"))
        #expect(json.hidden_processes > 0 || text.contains("the interface alone does"))
    }

    @Test("a dispatcher is recognised by what is in it", arguments: ["dispatcher_v1", "dispatcher_bpfman"])
    func dispatcher(_ fixture: String) throws {
        let bench = try ChainBench()
        try run(bench, "ip", "link", "set", "near", "xdpdrv", "obj", Fixture.path(fixture), "sec", "xdp")

        let (json, text) = try program(bench)

        let dispatcher = try #require(json.dispatcher)
        #expect(dispatcher.known && dispatcher.components.allSatisfy { $0.program_id == nil })
        #expect(text.contains("(not to be found)"))
        if fixture == "dispatcher_v1" {
            #expect(
                dispatcher.kind == "libxdp" && dispatcher.version == 1 && dispatcher.supports_frags == nil)
            #expect(dispatcher.components.map(\.priority) == [7, 1000])
            #expect(dispatcher.components.map(\.continues_on) == [["pass"], ["drop", "pass"]])
        } else {
            #expect(dispatcher.kind == "bpfman" && dispatcher.version == 2)
            #expect(dispatcher.supports_frags == false)
            #expect(dispatcher.components.map(\.continues_on) == [["pass", "tx"]])
        }
    }

    @Test("the name of a dispatcher alone makes none")
    func name() throws {
        let bench = try ChainBench()
        let image = ProgramImage(
            name: "xdp_dispatcher", instructions: [.move(.r0, 2), .exit], license: "GPL")
        let program = try Program.load(image).take()
        var route = try RouteSocket(in: bench.namespace)
        try route.attachXDP(program.descriptor.rawValue, to: bench.index, mode: .native, expecting: .nothing)

        let (json, _) = try self.program(bench)

        #expect(json.name == "xdp_dispatcher" && json.dispatcher == nil)
    }

    @Test(
        "xdp-loader's programs are named with their places",
        .enabled(if: ExtensionSupport.isThere, "this kernel forbids freplace"))
    func loader() throws {
        let bench = try ChainBench()
        try run(
            bench, "xdp-loader", "load", "near", "-m", "native", Fixture.path("pass"),
            Fixture.path("run_config"), Fixture.path("long_name"))
        defer { unload(bench) }

        let (json, text) = try program(bench)

        let dispatcher = try #require(json.dispatcher)
        #expect(dispatcher.kind == "libxdp" && dispatcher.version >= 2 && dispatcher.known)
        #expect(dispatcher.components.map(\.name) == ["run_config", "pass", "program_with_a_long_name"])
        #expect(dispatcher.components.map(\.position) == [0, 1, 2])
        #expect(dispatcher.components.map(\.priority) == [10, 50, 50])
        #expect(dispatcher.components.map(\.continues_on) == [["drop", "pass"], ["pass"], ["pass"]])
        #expect(dispatcher.components.allSatisfy { $0.program_id != nil && $0.link_id != nil })
        #expect(
            text.contains("it is a dispatcher of libxdp, version \(dispatcher.version), with 3 programs:"))
    }

    @Test(
        "a single program of xdp-loader has the first place",
        .enabled(if: ExtensionSupport.isThere, "this kernel forbids freplace"))
    func single() throws {
        let bench = try ChainBench()
        try run(bench, "xdp-loader", "load", "near", "-m", "native", Fixture.path("pass"))
        defer { unload(bench) }

        let (json, _) = try program(bench)

        #expect(json.dispatcher?.components.map(\.name) == ["pass"])
    }

    @Test(
        "without freplace xdp-loader attaches its program itself, and status says so",
        .disabled(if: ExtensionSupport.isThere, "this kernel has freplace"))
    func withoutDispatcher() throws {
        let bench = try ChainBench()
        try run(
            bench, "unshare", "--mount", "sh", "-c",
            "mount -t bpf bpf /sys/fs/bpf && exec xdp-loader load near -m native \"$0\"", Fixture.path("pass")
        )

        let (json, _) = try program(bench)

        #expect(json.name == "pass" && json.dispatcher == nil && json.link_id == nil)
    }
}

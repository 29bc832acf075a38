// SPDX-License-Identifier: Apache-2.0
import Foundation
import Packets
import TestSupport
import Testing
import XDP

/// What the command prints. Needs root.
@Suite("What the command prints")
struct CommandStatusTests {
    @Test("status fits on eighty columns for usual chains")
    func width() throws {
        let bench = try ChainBench()
        // Paths of users are shorter than those of build directories.
        let files = try ["ids", "ddos", "lb"].map {
            try TemporaryFile(
                copying: Fixture.path("choose"), name: "\(bench.namespace.identity.inode)-\($0).o")
        }
        for (file, name) in zip(files, ["ids", "ddos", "lb"]) {
            let result = try bench.xdpctl("load", "near", file.path, "--name", name)
            try #require(result.status == 0, "\(result)")
        }
        let edge = try bench.xdpctl("edge", "near", "ids", "drop=lb", "tx=lb")
        try bench.send([Packet](repeating: ChainBench.packet(for: .drop), count: 1000))
        _ = try bench.counters(seeing: 1000)

        let result = try bench.xdpctl("status")

        #expect(edge.status == 0)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        let lines = result.output.split(separator: "\n").map(String.init)
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(result)")
        #expect(lines.first?.hasPrefix("near  native mode, 3 members, program ") == true)
        #expect(lines.contains { $0.contains("1 000") && $0.contains("60 000") && $0.contains("→ lb") })
        #expect(lines.last?.contains("no XDP program on") == true)
        #expect(!result.output.contains("\u{1b}"))
    }

    @Test(
        "the plain forms of status, which take a short way, say what the parser's way says",
        arguments: [
            [], ["near"], ["--json"], ["near", "--json"], ["--json", "near"], ["nosuch"], ["--nosuch"],
        ])
    func shortWay(_ arguments: [String]) throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        let command = try Subprocess.binary("xdpctl")
        func run(_ words: [String]) throws -> Subprocess.Result {
            try Subprocess.run("nsenter", ["--net=\(bench.path)", command, "status"] + words)
        }

        let short = try run(arguments)
        let long = try run(arguments + ["--verbose"])

        #expect(short.output == long.output && short.errors == long.errors && short.status == long.status)
        #expect(short.status == (arguments == ["nosuch"] ? 1 : arguments == ["--nosuch"] ? 2 : 0))
    }

    @Test("status --json has every field that it is documented to have")
    func json() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "counters", "tail_static")
        try bench.send([ChainBench.packet(for: .drop, length: 100)])
        _ = try bench.counters(seeing: 1)

        let result = try bench.xdpctl("status", "near", "--json")
        let report = try JSONDecoder().decode(Status.self, from: Data(result.output.utf8))

        let interface = try #require(report.interfaces.first)
        let chain = try #require(interface.chain)
        let active = try bench.chain()
        #expect(report.format == 1 && report.interfaces.count == 1)
        #expect(interface.name == "near" && interface.state == "chain" && interface.mode == "native")
        #expect(chain.program_id == active.programID && chain.link_id == active.linkID)
        #expect(chain.change == 1 && !chain.closing && chain.counters == "bytes")
        #expect(chain.members.map(\.name) == ["choose", "counters", "tail_static"])
        #expect(chain.members.map(\.composition) == ["inline", "inline", "call"])
        #expect(chain.members[2].reason?.isEmpty == false && chain.members[0].reason == nil)
        #expect(chain.members[0].sha256.count == 64)
        let drop = try #require(chain.members[0].verdicts.first { $0.verdict == "drop" })
        #expect(drop.edge == "end" && drop.leads_to == "end" && drop.packets == 1 && drop.bytes == 100)
        let pass = try #require(chain.members[0].verdicts.first { $0.verdict == "pass" })
        #expect(pass.edge == "next" && pass.leads_to == "counters")
        #expect(chain.members[1].maps.contains { $0.name == "protocols" && $0.type == "percpu_array" })
    }

    @Test("a change prints what is now, for people and for programs")
    func changes() throws {
        let bench = try ChainBench()
        let object = try Fixture.path("pass")

        let text = try bench.xdpctl("load", "near", object)
        let json = try bench.xdpctl("unload", "near", "pass", "--json")
        let change = try JSONDecoder().decode(Change.self, from: Data(json.output.utf8))

        #expect(text.output == "near: pass (native mode)\n")
        #expect(change.outcome == "detached" && change.interface == "near" && change.members.isEmpty)
        #expect(change.format == 1 && change.mode == "native" && change.retries == 0 && change.change == 2)
        #expect(!change.fell_back_to_generic && change.notes.isEmpty)
    }

    @Test("an interface without a program, and all interfaces, are shown")
    func idle() throws {
        let bench = try ChainBench()

        let one = try bench.xdpctl("status", "near")
        let all = try bench.xdpctl("status", "--json")
        let report = try JSONDecoder().decode(Status.self, from: Data(all.output.utf8))

        #expect(one.output == "no XDP program on near\n")
        #expect(report.interfaces.map(\.name).sorted() == ["far", "lo", "near"])
        #expect(report.interfaces.allSatisfy { $0.state == "none" && $0.chain == nil && $0.mode == nil })
    }
}

// The keys as they are printed.
// swift-format-ignore: AlwaysUseLowerCamelCase
private struct Status: Decodable {
    struct Interface: Decodable {
        let name: String
        let index: UInt32
        let state: String
        let mode: String?
        let chain: Chain?
    }

    struct Chain: Decodable {
        let program_id: UInt32
        let link_id: UInt32?
        let change: UInt64
        let closing: Bool
        let fell_back_to_generic: Bool
        let supports_frags: Bool
        let counters: String
        let verified_instructions: UInt32
        let stack_bytes: UInt32
        let members: [Member]
    }

    struct Member: Decodable {
        let name: String
        let program: String
        let section: String
        let origin: String
        let sha256: String
        let license: String
        let priority: UInt32
        let composition: String
        let reason: String?
        let instructions: Int
        let supports_frags: Bool
        let verdicts: [Verdict]
        let unknown_verdicts: UInt64?
        let maps: [Map]
    }

    struct Verdict: Decodable {
        let verdict: String
        let edge: String
        let leads_to: String
        let packets: UInt64?
        let bytes: UInt64?
    }

    struct Map: Decodable {
        let name: String
        let id: UInt32
        let type: String
        let pinned_at: String?
    }

    let format: Int
    let interfaces: [Interface]
}

// swift-format-ignore: AlwaysUseLowerCamelCase
private struct Change: Decodable {
    struct Member: Decodable {
        let name: String
        let composition: String
        let reason: String?
    }

    let format: Int
    let outcome: String
    let interface: String
    let mode: String
    let fell_back_to_generic: Bool
    let change: UInt64
    let retries: Int
    let members: [Member]
    let notes: [String]
}

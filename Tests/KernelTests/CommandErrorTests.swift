// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing
import XDP

/// Bad input through the command: exit status, message, JSON, and nothing changed. Needs root.
@Suite("Bad input to the command")
struct CommandErrorTests {
    /// An object that cannot be loaded, and what is said of it.
    struct BadObject: Sendable, CustomTestStringConvertible {
        let name: String
        /// Words that the reason has.
        let why: String
        var remedy: String?
        var status: Int32 = 1
        let path: @Sendable () throws -> (path: String, keeps: TemporaryFile?)

        var testDescription: String { name }

        static func fixture(
            _ name: String, _ why: String, remedy: String? = nil, status: Int32 = 1
        ) -> BadObject {
            BadObject(name: name, why: why, remedy: remedy, status: status) { (try Fixture.path(name), nil) }
        }

        static func file(
            _ name: String, _ why: String, remedy: String? = nil,
            _ make: @escaping @Sendable () throws -> TemporaryFile
        ) -> BadObject {
            BadObject(name: name, why: why, remedy: remedy) {
                let file = try make()
                return (file.path, file)
            }
        }

        static let all: [BadObject] = [
            BadObject(name: "missing", why: "No such file or directory") { ("/tmp/xdp-test-no-such.o", nil) },
            BadObject(name: "directory", why: "it is not a regular file") { ("/tmp", nil) },
            BadObject(name: "device", why: "it is not a regular file") { ("/dev/zero", nil) },
            file("pipe", "it is not a regular file") {
                let file = try TemporaryFile([])
                file.delete()
                guard mkfifo(file.path, 0o600) == 0 else { throw Subprocess.Failure(what: "mkfifo") }
                return file
            },
            file("empty", "this is not an ELF object") { try TemporaryFile([]) },
            file("text", "this is not an ELF object") { try TemporaryFile(Array("#!/bin/sh\n".utf8)) },
            file("header only", "the ELF header is cut short") {
                try TemporaryFile(copying: Fixture.path("counters")) { $0 = Array($0.prefix(20)) }
            },
            file("half", "lies outside the file: it is cut short or damaged") {
                try TemporaryFile(copying: Fixture.path("counters")) { $0 = Array($0.prefix($0.count / 2)) }
            },
            BadObject(name: "x86", why: "this is not a BPF object") {
                (try Subprocess.binary("xdpctl"), nil)
            },
            fixture(
                "legacy_maps", "declared in the old way", remedy: "Rebuild it with maps in section .maps"),
            fixture("no_entries", "max_entries 0", remedy: "--max-entries per_cpu_set_by_loader=N"),
            fixture(
                "kfunc_missing", "'bpf_xdp_fixture_is_missing': not found",
                remedy: "The program calls a kernel function"),
            fixture(
                "core_missing", "core_missing.c:14", remedy: "a CO-RE relocation without a target", status: 3),
            fixture("rejected_unreachable", "unreachable"),
            fixture("rejected_loop", "infinite loop detected"),
            fixture("rejected_bounds", "rejected_bounds.c:10"),
            fixture("maps65", "64", status: 3),
            fixture("rx_hash", "rx_hash.c:20", remedy: "bound to the device", status: 3),
            fixture("proprietary_gpl_helper", "cannot call GPL-restricted function", status: 3),
        ]
    }

    @Test("an object that cannot be loaded is refused with the reason", arguments: BadObject.all)
    func objects(_ object: BadObject) throws {
        if object.name == "rx_hash" { try KernelNeed.metadata.check() }
        let bench = try ChainBench()
        try bench.load("pass")
        let program = try bench.chain().programID
        let (path, file) = try object.path()

        let (text, json, failure) = try bench.failingXDPControl(["load", "near", path, "--name", "bad"])

        #expect(text.status == object.status && json.status == object.status, "\(text)\(json)")
        #expect(text.output.isEmpty && text.errors.hasPrefix("xdpctl: "), "\(text)")
        #expect(json.errors.isEmpty, "\(json)")
        // What the checks before the change found, or what the kernel said.
        let checks = failure.checks ?? []
        #expect(([failure.why] + checks.map(\.what)).contains { $0.contains(object.why) }, "\(failure)")
        if let remedy = object.remedy {
            let remedies = [failure.remedy] + checks.map(\.remedy)
            #expect(remedies.contains { $0?.contains(remedy) == true }, "\(failure)")
        }
        #expect(!(text.errors + failure.why).contains("\u{0}"))
        #expect(try bench.chain().programID == program)
        withExtendedLifetime(file) {}
    }

    @Test("a rejection names the member, its line, and with --verbose shows the whole log")
    func rejection() throws {
        let bench = try ChainBench()
        let path = try Fixture.path("rejected_bounds")

        let short = try bench.xdpctl("load", "near", path)
        let long = try bench.xdpctl("load", "near", path, "--verbose")

        #expect(short.status == 1 && long.status == 1)
        #expect(short.errors.contains("The verifier rejects rejected_bounds"))
        #expect(short.errors.contains("rejected_bounds.c:10"))
        #expect(short.errors.contains("out of bounds"))
        #expect(!short.errors.contains("0: ("))
        #expect(long.errors.contains("0: (") && long.errors.contains("invalid access to packet"))
    }

    @Test("after the remedy was followed the object loads")
    func remedied() throws {
        let bench = try ChainBench()
        let result = try bench.xdpctl(
            "load", "near", Fixture.path("no_entries"), "--max-entries", "per_cpu_set_by_loader=4")

        #expect(result.status == 0, "\(result)")
        #expect(try bench.memberNames() == ["no_entries"])
    }

    @Test("an object whose type information the kernel refuses loads with a note")
    func naked() throws {
        let bench = try ChainBench()
        let result = try bench.xdpctl("load", "near", Fixture.path("naked"))

        #expect(result.status == 0, "\(result)")
        #expect(try bench.memberNames() == ["naked"])
    }

    /// Words that make no sense on a chain of `choose` and `pass`, and what is said of them.
    struct BadRequest: Sendable, CustomTestStringConvertible {
        let words: [String]
        let says: String
        var status: Int32 = 2

        var testDescription: String { words.joined(separator: " ") }

        static let all: [BadRequest] = [
            BadRequest(words: ["load", "near", "%several"], says: "Name one with --program", status: 1),
            BadRequest(
                words: ["load", "near", "%several", "--program", "nosuch"], says: "It has several_first",
                status: 1),
            BadRequest(
                words: ["load", "near", "%pass"], says: "the chain has a member of that name", status: 3),
            BadRequest(words: ["load", "near", "%drop", "--name", "next"], says: "cannot be called"),
            BadRequest(
                words: ["load", "near", "%drop", "--after", "nosuch"], says: "no member nosuch", status: 3),
            BadRequest(words: ["load", "near", "%drop", "--first", "--last"], says: "position is not clear"),
            BadRequest(
                words: ["load", "near", "%drop", "--on", "tx=nosuch"], says: "no member nosuch", status: 3),
            BadRequest(words: ["load", "near", "%drop", "--on", "maybe=next"], says: "maybe is no verdict"),
            BadRequest(words: ["load", "near", "%drop", "--on", "tx"], says: "VERDICT=NEXT"),
            BadRequest(words: ["load", "near", "%drop", "%tx", "--name", "x"], says: "speak of one object"),
            BadRequest(words: ["load", "near", "%drop", "--mode", "fast"], says: "fast"),
            BadRequest(words: ["load", "near", "%drop", "--counters", "all"], says: "all"),
            BadRequest(words: ["load", "near", "%drop", "--max-entries", "x=0"], says: "0 is no size"),
            BadRequest(
                words: ["load", "near", "%drop", "--reuse-map", "x=y"], says: "neither a path nor id:N"),
            BadRequest(
                words: ["load", "near", "%verdict", "--set", "nosuch=1"], says: "no such variable", status: 1),
            BadRequest(
                words: ["load", "near", "%verdict", "--set", "verdict=many"], says: "is no value for",
                status: 1),
            BadRequest(words: ["load", "near"], says: "Missing expected argument"),
            BadRequest(words: ["load", "nosuch", "%drop"], says: "no interface of that name", status: 1),
            BadRequest(words: ["move", "near", "nosuch", "--first"], says: "no member nosuch", status: 3),
            BadRequest(words: ["move", "near", "pass"], says: "no place is named"),
            BadRequest(words: ["move", "near", "pass", "--after", "pass"], says: "beside itself"),
            BadRequest(words: ["edge", "near", "pass", "tx=choose"], says: "round in a circle", status: 3),
            BadRequest(words: ["edge", "near", "pass", "tx=nosuch"], says: "no member nosuch", status: 3),
            BadRequest(words: ["edge", "near", "nosuch", "tx=next"], says: "no member nosuch", status: 3),
            BadRequest(words: ["replace", "near", "nosuch", "%pass"], says: "no member nosuch", status: 3),
            BadRequest(words: ["unload", "near", "nosuch"], says: "no member nosuch", status: 3),
            BadRequest(words: ["unload", "near"], says: "either members or --all"),
            BadRequest(words: ["unload", "near", "pass", "--all"], says: "either members or --all"),
            BadRequest(words: ["counters", "near", "most"], says: "most"),
        ]
    }

    @Test("a request that makes no sense is refused with the reason", arguments: BadRequest.all)
    func requests(_ request: BadRequest) throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        let program = try bench.chain().programID
        let words = try request.words.map { word in
            word.hasPrefix("%") ? try Fixture.path(String(word.dropFirst())) : word
        }

        let result = try bench.xdpctl(words)

        // Lines are broken at spaces.
        let said = result.errors.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
        #expect(result.status == request.status, "\(result)")
        #expect(said.contains(request.says), "\(result)")
        #expect(result.output.isEmpty)
        #expect(try bench.chain().programID == program)
    }

    @Test("what a check refuses has a status of its own")
    func refused() throws {
        let bench = try ChainBench()
        try bench.loadAll("choose", "pass")
        let edge = try bench.xdpctl("edge", "near", "choose", "tx=pass")
        let (text, json, failure) = try bench.failingXDPControl(["unload", "near", "pass"])
        let generic = try bench.xdpctl("load", "near", Fixture.path("drop"), "--mode", "generic")

        #expect(edge.status == 0, "\(edge)")
        #expect(text.status == 3 && json.status == 3 && generic.status == 3)
        #expect(failure.kind == "refused")
    }
}

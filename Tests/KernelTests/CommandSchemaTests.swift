// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import XDP

/// What every command prints with `--json`. Each run of the command in any test is held against the schemas;
/// these make sure that each command is run, and that none is without a schema. Needs root.
@Suite("Schemas of what --json prints")
struct CommandSchemaTests {
    /// The commands that take `--json`, as the command itself lists them.
    private static func commands() throws -> Set<String> {
        let dump = try Subprocess.xdpctl("--experimental-dump-help")
        guard let root = try JSONValue(parsing: dump.output)["command"] else { return [] }
        var found: Set<String> = []
        func walk(_ command: JSONValue, _ path: [String]) {
            guard case .string(let name)? = command["commandName"] else { return }
            let words = path + [name]
            if case .array(let arguments)? = command["arguments"] {
                let names = arguments.flatMap { argument -> [JSONValue] in
                    guard case .array(let names)? = argument["names"] else { return [] }
                    return names.compactMap { $0["name"] }
                }
                if names.contains(.string("json")) { found.insert(words.dropFirst().joined(separator: " ")) }
            }
            guard case .array(let subcommands)? = command["subcommands"] else { return }
            for subcommand in subcommands { walk(subcommand, words) }
        }
        walk(root, [])
        return found
    }

    @Test("every command with --json has a schema, and every schema a command")
    func complete() throws {
        let documents = try JSONSchema.documented()
        let commands = try Self.commands()

        #expect(commands == Set(CommandSchemas.all.keys))
        #expect(commands.count > 10)
        let used = Set(CommandSchemas.all.values.joined()).union(["common", "failure"])
        #expect(used == Set(documents.keys.map { String($0.dropLast(".json".count)) }))
    }

    @Test("what commands print that change and show a chain is as their schemas say")
    func chains() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let pins = PinDirectory()
        let file = try directory.describe("object: \(try Fixture.path("pass"))")
        let runs: [([String], Int32)] = [
            (["status", "near"], 0), (["status"], 0),
            (["load", "near", try Fixture.path("pass"), try Fixture.path("tail_static")], 0),
            (["load", "near", try Fixture.path("counters"), "--pin-maps", pins.path, "--first"], 0),
            (["load", "near", try Fixture.path("counters")], 3),
            (["load", "near", "/tmp/xdp-test-none.o"], 1),
            (["load", "near", try Fixture.path("rejected_loop"), "--verbose"], 1),
            (["move", "near", "pass", "--last"], 0), (["edge", "near", "pass", "drop=nobody"], 3),
            (["edge", "near", "counters", "drop=pass"], 0), (["edge", "near", "counters", "fall=pass"], 2),
            (["replace", "near", "pass", try Fixture.path("drop")], 0),
            (["counters", "near", "packets"], 0), (["fallback", "near", "drop"], 0),
            (["status", "near"], 0),
            (["export", "near"], 0), (["export", "near", "--all"], 2),
            (["apply", file, "--dry-run"], 0), (["apply", file], 0), (["apply", file], 0),
            (["apply", "/tmp/xdp-test-none.yaml"], 1), (["unload", "near", "--all"], 0),
            (["unload", "near", "--all"], 3), (["adopt", "near"], 3), (["release", "near", "x"], 3),
        ]
        for (words, status) in runs {
            let result = try bench.xdpctl(words + ["--json"])
            #expect(result.status == status && !result.output.isEmpty, "\(words): \(result)")
        }
    }

    @Test("what is printed of programs of others is as the schemas say")
    func foreign() throws {
        let bench = try ChainBench()
        let stranger = try AttachedStranger(bench, byLink: true)
        for words in [
            ["status", "near"], ["adopt", "near", "--name", "theirs"],
            ["status", "near"], ["export", "near"], ["release", "near", "theirs"],
        ] {
            let result = try bench.xdpctl(words + ["--json"])
            #expect(result.status == 0, "\(words): \(result)")
        }
        #expect(stranger.id > 0)
    }

    @Test("what is printed of all namespaces is as the schema says")
    func namespaces() throws {
        let bench = try ChainBench()
        let stranger = try AttachedStranger(bench, byLink: true)
        let result = try Subprocess.xdpctl("status", "--all-netns", "--json")

        #expect(result.status == 0 && result.output.contains("\"namespaces\""), "\(result)")
        #expect(stranger.id > 0)
    }

    @Test("what the lab prints is as its schemas say")
    func lab() throws {
        let name = "xdpt-\(UInt16.random(in: 0...UInt16.max))"
        defer { _ = try? Subprocess.xdpctl("lab", "down", "--name", name) }
        for words in [
            ["status"], ["send", "udp"], ["up"], ["status"], ["send", "udp", "--count", "2"], ["down"],
            ["status"],
        ] {
            let result = try Subprocess.run(
                Subprocess.binary("xdpctl"), ["lab"] + words + ["--name", name, "--json"])
            try CommandSchemas.check(["lab"] + words + ["--json"], result)
            #expect(!result.output.isEmpty, "\(words): \(result)")
        }
    }
}

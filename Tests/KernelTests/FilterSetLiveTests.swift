// SPDX-License-Identifier: Apache-2.0
import Filter
import Foundation
import Glibc
import Netlink
import Packets
import TestSupport
import Testing
import XDP

/// Sets of filters that packets meet. Needs root.
@Suite("Sets of filters in use")
struct FilterSetLiveTests {
    private static let rules = """
        set hosts : address timeouts
        set nets : prefix timeouts { 10.0.0.0/8 }
        set doors : address . port
        rules {
          drop src in @hosts
          drop src in @nets
          drop udp src . dport in @doors
          default pass
        }
        """

    private static func bench(_ rules: String = Self.rules) throws -> FilterBench {
        let bench = try FilterBench()
        try bench.apply(rules)
        return bench
    }

    /// Works on a set of `tap`.
    @discardableResult
    private static func edit<T: Sendable>(
        _ bench: FilterBench, _ set: String, _ lines: [String] = [],
        _ body: @Sendable (SetEditor, SetContents) throws(XDPError) -> T
    ) throws -> T {
        try bench.bench.namespace.run {
            let editor = SetEditor(set, on: try Interface(named: "tap"))
            return try body(editor, try SetSource(editor.declaration()).read(lines: lines))
        }
    }

    private static func list(_ bench: FilterBench, _ set: String) throws -> [String] {
        try edit(bench, set) { editor, _ throws(XDPError) in
            var texts: [String] = []
            try editor.list().forEach { texts.append($0.bare) }
            return texts
        }
    }

    /// Whether a packet is let through.
    private static func passes(_ bench: FilterBench, _ source: Packet.IPv4, _ port: UInt16 = 7) throws -> Bool
    {
        let before = try bench.counted()["default"] ?? 0
        try bench.send(FilterBench.udp(port, from: source))
        return try bench.counted()["default"] ?? 0 == before + 1
    }

    @Test("packets meet what is added and deleted at once, in sets of every storage")
    func changes() throws {
        let bench = try Self.bench()
        for (set, element) in [
            ("hosts", "192.0.2.1"), ("nets", "192.0.2.0/24"), ("nets", "192.0.2.1"),
            ("doors", "192.0.2.1 . 7"),
        ] {
            #expect(try Self.passes(bench, "192.0.2.1"), "\(element)")
            try Self.edit(bench, set, [element]) { editor, contents throws(XDPError) in
                try editor.add(contents)
            }
            #expect(try !Self.passes(bench, "192.0.2.1"), "\(element)")
            try Self.edit(bench, set, [element]) { editor, contents throws(XDPError) in
                try editor.delete(contents)
            }
        }
        try Self.edit(bench, "nets") { editor, _ throws(XDPError) in try editor.flush() }
        #expect(try Self.passes(bench, "10.1.1.1"))
    }

    @Test("elements end without anybody doing anything")
    func ends() throws {
        let bench = try Self.bench()
        try Self.edit(bench, "hosts", ["192.0.2.1 timeout 1s"]) { editor, contents throws(XDPError) in
            try editor.add(contents)
        }
        // A network that ends does not hide the one that covers it.
        try Self.edit(bench, "nets", ["192.0.2.2 timeout 1s", "10.1.0.0/16 timeout 1s"]) {
            editor, contents throws(XDPError) in try editor.add(contents)
        }
        for source: Packet.IPv4 in ["192.0.2.1", "192.0.2.2", "10.1.1.1"] {
            #expect(try !Self.passes(bench, source))
        }
        usleep(1_100_000)
        #expect(try Self.passes(bench, "192.0.2.1"))
        #expect(try Self.passes(bench, "192.0.2.2"))
        #expect(try !Self.passes(bench, "10.1.1.1"))
    }

    @Test("a full set gets more room in one swap; counters and elements stay")
    func growth() throws {
        let bench = try Self.bench()
        let many = (0..<3000).map { "172.16.\($0 / 250).\($0 % 250)" }
        try Self.edit(bench, "hosts", ["192.0.2.1"]) { editor, contents throws(XDPError) in
            try editor.add(contents)
        }
        #expect(try !Self.passes(bench, "192.0.2.1"))
        let change = try Self.edit(bench, "hosts", many) { editor, contents throws(XDPError) in
            try editor.add(contents)
        }
        #expect(change.changed == 3000)
        #expect(change.grewTo != nil)
        #expect(try !Self.passes(bench, "192.0.2.1"))
        #expect(try !Self.passes(bench, "172.16.11.249"))
        #expect(try Self.list(bench, "hosts").count == 3001)
        #expect(try bench.counted()["drop src in @hosts"] == 3)
    }

    @Test("what was added by hand stays when the rules are applied again, and flags follow the maps")
    func reapply() throws {
        let bench = try Self.bench()
        for set in ["hosts", "nets"] {
            try Self.edit(bench, set, ["192.0.2.1"]) { editor, contents throws(XDPError) in
                try editor.add(contents)
            }
        }
        let maps = try bench.filter().maps(ofSet: "nets")
        // One set is declared anew, the other one stays.
        try bench.apply(
            Self.rules.replacing(
                "set hosts : address timeouts", with: "set hosts : address timeouts { 192.0.2.9 }"))
        #expect(try bench.filter().maps(ofSet: "nets") == maps)
        #expect(try Self.list(bench, "hosts") == ["192.0.2.1", "192.0.2.9"])
        #expect(try !Self.passes(bench, "192.0.2.9"))
        // And loses its declared elements again.
        try bench.apply(Self.rules)
        #expect(try Self.list(bench, "hosts") == ["192.0.2.1"])
        #expect(try !Self.passes(bench, "192.0.2.1"))
    }

    @Test("what several processes add while the filter is exchanged is all there")
    func concurrent() async throws {
        let bench = try Self.bench()
        let failures = await withTaskGroup(of: [String].self) { group in
            for adder in 0..<3 {
                group.addTask {
                    var failures: [String] = []
                    for round in 0..<6 {
                        let words = [
                            "filter", "set", "add", "tap", "nets", "172.\(16 + round).\(adder).0/24",
                            "192.0.2.\(adder * 10 + round)",
                            "timeout", "1h",
                        ]
                        let result = try? bench.bench.xdpctl(words)
                        if result?.status != 0 { failures.append("\(words): \(String(describing: result))") }
                    }
                    return failures
                }
            }
            group.addTask {
                for round in 0..<8 {
                    do {
                        try bench.apply(
                            Self.rules.replacing(
                                "10.0.0.0/8", with: round % 2 == 0 ? "10.0.0.0/8, 11.0.0.0/8" : "10.0.0.0/8"))
                    } catch {
                        return ["\(error)"]
                    }
                }
                return []
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(failures.isEmpty, "\(failures)")
        let found = try Self.list(bench, "nets")
        for adder in 0..<3 {
            for round in 0..<6 {
                #expect(found.contains("172.\(16 + round).\(adder).0/24"))
                #expect(found.contains("192.0.2.\(adder * 10 + round)"))
            }
        }
        #expect(found.count == 37)
    }

    @Test("the command does all of it, and what it lists can be read again")
    func command() throws {
        let bench = try Self.bench()
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "list", "198.51.100.1\n198.51.100.0/25 timeout 2h ; x\n2001:db8::/32\n")
        let broken = try directory.write("broken", "198.51.100.1\nhello\n")
        let runs: [([String], Int32)] = [
            (["add", "tap", "nets", "192.0.2.0/24", "192.0.2.1", "timeout", "10m"], 0),
            (["add", "tap", "nets", "--file", file], 0), (["add", "tap", "nets", "--file", broken], 2),
            (["add", "tap", "nets", "--file", "/nonexistent"], 1), (["add", "tap", "nets", "x"], 2),
            (["add", "tap", "none", "192.0.2.1"], 3), (["add", "tap", "doors", "192.0.2.1", ".", "7"], 0),
            (["add", "tap", "doors", "192.0.2.1 . 7 timeout 1h"], 2),
            (["delete", "tap", "doors", "192.0.2.1 . 8", "192.0.2.1 . 7"], 0),
            (["test", "tap", "nets", "192.0.2.77", "10.0.0.0/9"], 0),
            (["test", "tap", "nets", "9.9.9.9"], 1),
            (["list", "tap", "nets"], 0), (["flush", "tap", "hosts"], 0), (["list", "tap", "hosts"], 0),
            (["list", "near", "nets"], 3), (["add", "tap", "nets", "192.0.2.1", "--name", "other"], 3),
        ]
        for (words, status) in runs {
            let result = try bench.bench.xdpctl(["filter", "set"] + words + ["--json"])
            #expect(result.status == status && !result.output.isEmpty, "\(words): \(result)")
        }
        let listed = try bench.bench.xdpctl("filter", "set", "list", "tap", "nets").output
        let saved = try directory.write("saved", listed)
        #expect(listed.split(separator: "\n").count == 6)
        #expect(
            try bench.bench.xdpctl("filter", "set", "flush", "tap", "nets").output
                == "6 elements deleted from nets\n")
        #expect(try bench.bench.xdpctl("filter", "set", "add", "tap", "nets", "--file", saved).status == 0)
        // Lives may have lost a second on the way.
        #expect(
            try Self.list(bench, "nets")
                == listed.split(separator: "\n").map { String($0.split(separator: " ")[0]) })
        let deleted = try bench.bench.xdpctl("filter", "set", "delete", "tap", "nets", "9.9.9.9", "192.0.2.1")
            .output
        #expect(deleted == "1 element deleted from nets\n1 element was not there: 9.9.9.9\n")
    }
}

extension String {
    fileprivate func replacing(_ part: String, with other: String) -> String {
        replacingOccurrences(of: part, with: other)
    }
}

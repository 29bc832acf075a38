// SPDX-License-Identifier: Apache-2.0
import Filter
import Foundation
import Packets
import TestSupport
import Testing
import XDP

/// `xdpctl filter …` as people and scripts call it. Needs root.
@Suite("Filter commands")
struct FilterCommandTests {
    private static let rules = """
        # What is not wanted.
        set bad : prefix from "bad.txt"
        rules {
          drop src in @bad counter "blocked"
          drop udp dport { 19, 1900 } comment "reflection"
          default pass
        }

        """

    /// A directory with a rule file and the file of its set.
    private func files() throws -> (directory: TemporaryDirectory, rules: String) {
        let directory = try TemporaryDirectory()
        try directory.write("bad.txt", "203.0.113.0/24\n198.51.100.7\n")
        return (directory, try directory.write("edge.xdp", Self.rules))
    }

    @Test("what filter commands print is as their schemas say, and their exit statuses tell")
    func schemas() throws {
        let bench = try FilterBench()
        let (directory, file) = try files()
        let runs: [([String], Int32)] = [
            (["list", "tap"], 3), (["add", "tap", "drop udp"], 3), (["stats", "tap"], 3),
            (["confirm", "tap"], 3), (["remove", "tap"], 3),
            (["apply", "tap", file, "--dry-run"], 0), (["apply", "tap", file], 0),
            (["apply", "tap", file], 0), (["apply", "tap", "\(directory.path)/none.xdp"], 1),
            (["apply", "tap", "\(directory.path)/bad.txt"], 2), (["apply", "nosuch0", file], 1),
            (["add", "tap", "drop udp dport 53", "--at", "1"], 0), (["add", "tap", "drop udp dort 53"], 2),
            (["add", "tap", "drop udp dport 54", "--at", "17"], 3),
            (["add", "tap", "drop udp dport 54", "--at", "1", "--after", "2"], 2),
            (["list", "tap", "--counters", "--numbers"], 0), (["list", "tap", "--elements"], 0),
            (["stats", "tap"], 0), (["delete", "tap", "drop udp dport 53"], 0),
            (["delete", "tap", "drop udp dport 53"], 3), (["delete", "tap", "--number", "2"], 0),
            (["delete", "tap"], 2), (["apply", "tap", file, "--confirm", "never"], 2),
            (["apply", "tap", file, "--confirm", "60s"], 0), (["list", "tap"], 0),
            (["apply", "tap", file], 3), (["confirm", "tap"], 0),
            (["apply", "tap", file, "--confirm", "5m", "--name", "filter"], 0), (["remove", "tap"], 0),
        ]
        for (words, status) in runs {
            let result = try bench.bench.xdpctl(["filter"] + words + ["--json"])
            #expect(result.status == status && !result.output.isEmpty, "\(words): \(result)")
            _ = try bench.bench.xdpctl(["status", "tap", "--json"])
        }
        #expect(try bench.members().isEmpty)
    }

    @Test("what is listed can be applied, and is no change then")
    func listIsInput() throws {
        let bench = try FilterBench()
        let (directory, file) = try files()
        #expect(try bench.bench.xdpctl("filter", "apply", "tap", file).status == 0)
        try bench.send(FilterBench.udp(1900), times: 3)
        let listed = try bench.bench.xdpctl("filter", "list", "tap", "--counters", "--numbers")
        let copy = try directory.write("copy.xdp", listed.output)

        let again = try bench.bench.xdpctl("filter", "apply", "tap", copy, "--dry-run")
        let elements = try bench.bench.xdpctl("filter", "list", "tap", "--elements")

        #expect(listed.output.contains("# 2 elements"), "\(listed)")
        #expect(listed.output.contains("# 2: 3 packets, 180 bytes"), "\(listed)")
        #expect(again.status == 0 && !again.output.contains("\n  add "), "\(again)")
        #expect(!again.output.contains("\n  remove "), "\(again)")
        #expect(elements.output.contains("203.0.113.0/24") && !elements.output.contains("bad.txt"))
        #expect(
            (listed.output + again.output).split(separator: "\n").allSatisfy {
                $0.count <= 80 || $0.contains(directory.path)
            })
    }

    @Test("of many rules that are new the first are shown, and all of them to scripts and in a dry run")
    func manyRules() throws {
        let bench = try FilterBench()
        let directory = try TemporaryDirectory()
        let lines = (1...40).map { "  drop udp dport \($0)\n" }.joined()
        let file = try directory.write("many.xdp", "rules {\n\(lines)  default pass\n}\n")

        let dry = try bench.bench.xdpctl("filter", "apply", "tap", file, "--dry-run")
        let applied = try bench.bench.xdpctl("filter", "apply", "tap", file)

        #expect(dry.output.contains("add     drop udp dport 40\n"), "\(dry)")
        #expect(applied.output.contains("add     drop udp dport 20\n"), "\(applied)")
        #expect(applied.output.contains("add     21 more rules\n"), "\(applied)")
        #expect(!applied.output.contains("dport 21\n"), "\(applied)")
    }

    @Test("explain leaves what only few packets pay out of its sum")
    func explain() throws {
        let bench = try FilterBench()
        let directory = try TemporaryDirectory()
        let drop = "drop udp dport 9\n"
        let plain = try directory.write("plain.xdp", "rules { \(drop) default pass }")
        let costly = try directory.write(
            "costly.xdp", "rules { \(drop) log tcp syn\n limit tcp to 1/second\n default pass }")

        let sums = try [plain, costly].map { file -> Double in
            let result = try bench.bench.xdpctl("filter", "explain", file, "--json")
            #expect(result.status == 0, "\(result)")
            return switch try JSONValue(parsing: result.output)["nanoseconds"] {
            case .number(let sum)?: sum
            case .integer(let sum)?: Double(sum)
            default: -1
            }
        }

        #expect(sums[0] > 0 && sums[1] > sums[0] && sums[1] < sums[0] + 30, "\(sums)")
    }

    @Test("status says what filters are, and while rules wait what the gate does")
    func status() throws {
        let bench = try FilterBench()
        let (directory, file) = try files()
        defer { withExtendedLifetime(directory) {} }
        _ = try bench.bench.xdpctl("filter", "apply", "tap", file)
        let plain = try bench.bench.xdpctl("status", "tap")
        try bench.apply("rules { default pass }") { $0.confirmSeconds = 600 }

        let waiting = try bench.bench.xdpctl("status", "tap")

        #expect(plain.output.contains("filter of 2 rules, \(file)"), "\(plain)")
        #expect(waiting.output.contains("filter.gate"), "\(waiting)")
        #expect(waiting.output.contains("unless they are confirmed"), "\(waiting)")
    }

    @Test("rules put on for a time by a command that is long gone go by themselves")
    func confirmOutlivesCommand() throws {
        let bench = try FilterBench()
        try bench.apply("rules { default pass }")
        let directory = try TemporaryDirectory()
        let file = try directory.write("new.xdp", "rules { drop udp\n default pass }")

        let result = try bench.bench.xdpctl("filter", "apply", "tap", file, "--confirm", "2")
        try bench.send(FilterBench.udp(9))
        let dropped = try bench.verdicts(.drop)["filter.new"]
        #expect(try eventually { try bench.filter().gate?.isOpen == false })
        try bench.send(FilterBench.udp(9))

        #expect(result.status == 0 && result.output.contains("come back in"), "\(result)")
        #expect(dropped == 1)
        #expect(try bench.verdicts(.drop)["filter.new"] == 1)
        #expect(try bench.verdicts(.pass)["filter"] == 1)
        let late = try bench.bench.xdpctl("filter", "confirm", "tap")
        #expect(late.status == 1 && late.errors.contains("time was over"), "\(late)")
        #expect(try bench.members() == ["filter"])
    }

    @Test("a filter stands in files for whole chains, and comes back from its export")
    func wholeChains() throws {
        let bench = try FilterBench()
        let (directory, file) = try files()
        let yaml = try directory.write(
            "tap.yaml",
            """
            version: 1
            interfaces:
              tap:
                members:
                  - filter: edge.xdp
                  - object: \(try Fixture.path("pass"))
            """)
        let first = try bench.bench.xdpctl("apply", yaml, "--json")
        try bench.send(FilterBench.udp(19), times: 2)
        let second = try bench.bench.xdpctl("apply", yaml)
        #expect(first.status == 0, "\(first)")
        #expect(second.output.contains("nothing to change"), "\(second)")
        #expect(try bench.members() == ["filter", "pass"])

        let export = try bench.bench.xdpctl("export", "tap")
        #expect(export.output.contains("filter: \(file)"), "\(export)")
        _ = try bench.bench.xdpctl("filter", "add", "tap", "drop udp dport 7")
        let differing = try bench.bench.xdpctl("export", "tap")
        _ = try bench.bench.xdpctl("export", "tap", "--json")
        #expect(differing.output.contains("rules: |"), "\(differing)")
        #expect(differing.output.contains("# the rules that run are not those of"), "\(differing)")

        let saved = try directory.write("saved.yaml", differing.output)
        let rules = try bench.filter().record.text
        _ = try bench.bench.xdpctl("unload", "tap", "--all")
        let restored = try bench.bench.xdpctl("apply", saved)
        #expect(restored.status == 0, "\(restored)")
        #expect(try bench.filter().record.text == rules)

        try directory.write("edge.xdp", "rules { drop udp dort 1 }")
        let wrong = try bench.bench.xdpctl("apply", yaml, "--json")
        #expect(wrong.status == 2, "\(wrong)")
        #expect(try bench.filter().record.text == rules)
    }
}

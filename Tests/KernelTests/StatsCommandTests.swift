// SPDX-License-Identifier: Apache-2.0
import BPF
import CBPF
import Foundation
import Netlink
import Packets
import TestSupport
import Testing
import XDP

/// `xdpctl stats` and `top` as people and scripts call them. Needs root.
@Suite("Statistics commands")
struct StatsCommandTests {
    private func bench() throws -> ChainBench {
        let bench = try ChainBench(withTAP: true)
        try bench.edit("tap") { editor throws(XDPError) in
            guard let choose = try? Fixture.path("choose"), let pass = try? Fixture.path("pass") else {
                throw XDPError(.failed, "No fixtures", because: "they are not built")
            }
            return try editor.load([LoadRequest(path: choose), LoadRequest(path: pass)])
        }
        for (verdict, count) in [(Verdict.drop, 5), (.pass, 7), (.aborted, 1)] {
            for _ in 0..<count { try bench.tap?.write(ChainBench.packet(for: verdict)) }
        }
        return bench
    }

    @Test("what stats and top print is as their schemas say, and their exit statuses tell")
    func schemas() throws {
        let bench = try bench()
        let runs: [([String], Int32)] = [
            (["stats"], 0), (["stats", "tap"], 0), (["stats", "near"], 0), (["stats", "tap", "near"], 0),
            (["stats", "tap", "--for", "0.2s"], 0), (["stats", "nosuch0"], 1),
            (["top", "--once", "--every", "0.1"], 0), (["top", "tap", "--once", "--every", "0.1"], 0),
            (["top", "nosuch0", "--once"], 1),
        ]
        for (words, status) in runs {
            let result = try bench.xdpctl(words + ["--json"])
            #expect(result.status == status && !result.output.isEmpty, "\(words): \(result)")
        }
        for words in [
            ["stats", "--every", "5"], ["stats", "--watch", "--every", "0"], ["stats", "--for", "never"],
            ["stats", "--watch", "--for", "1s"], ["stats", "--prometheus", "--json"],
            ["top", "--every", "x"],
        ] {
            #expect(try bench.xdpctl(words).status == 2, "\(words)")
        }
    }

    @Test("stats shows verdicts, drivers and the stack on 80 columns, and that it adds up")
    func text() throws {
        let bench = try bench()

        let all = try bench.xdpctl("stats")
        let one = try bench.xdpctl("stats", "tap")
        let idle = try bench.xdpctl("stats", "near", "--verbose")

        #expect(one.status == 0 && one.output.contains("tap  native mode, driver tun, change 1"), "\(one)")
        #expect(one.output.contains("choose  aborted        1"), "\(one)")
        #expect(one.output.contains("adds up: 13 packets = 7 passed + 5 dropped + 1 aborted"), "\(one)")
        #expect(one.output.contains("rx_dropped"), "\(one)")
        #expect(
            all.output.contains("no XDP program on lo, far, near")
                || all.output.contains("no XDP program on lo, "))
        #expect(
            idle.output.contains("rx_queue_0_xdp_packets") && idle.output.contains("no XDP program"),
            "\(idle)")
        for output in [all.output, one.output, idle.output] {
            #expect(
                !output.contains("\u{1b}") && output.split(separator: "\n").allSatisfy { $0.count <= 80 },
                "\(output)")
        }
    }

    @Test("after a change of the chain it is not said of all that was ever counted that it does not add up")
    func past() throws {
        let bench = try ChainBench(withTAP: true)
        for _ in 0..<40 { try bench.tap?.write(ChainBench.packet(for: .pass)) }
        func load(_ name: String) throws {
            let request = LoadRequest(path: try Fixture.path(name))
            try bench.edit("tap") { editor throws(XDPError) in try editor.load([request]) }
            for _ in 0..<3 { try bench.tap?.write(ChainBench.packet(for: .pass)) }
        }
        func sums() throws -> (JSONValue, String) {
            let value = try JSONValue(parsing: try bench.xdpctl("stats", "tap", "--json").output)
            return (
                try #require(value["interfaces"]?[0]?["reconciliation"]),
                try bench.xdpctl("stats", "tap").output
            )
        }

        try load("choose")
        let (older, olderText) = try sums()
        try load("pass")
        let (changed, changedText) = try sums()

        #expect(older["adds_up"] == nil && older["entered"] == .integer(3), "\(older)")
        #expect(olderText.contains("the interface counted packets before the chain did"), "\(olderText)")
        // What choose passed left the chain then, and would have to be in the second member by now.
        #expect(changed["adds_up"] == nil && changed["entered"] == .integer(6), "\(changed)")
        #expect(changed["left"]?["pass"] == .integer(3), "\(changed)")
        #expect(changedText.contains("the chain was changed since it was loaded"), "\(changedText)")
        for text in [olderText, changedText] { #expect(!text.contains("add up"), "\(text)") }
    }

    @Test("long names and the largest numbers fit on 80 columns")
    func wide() throws {
        let bench = try bench()
        let name = String(repeating: "n", count: 62)
        for number in 0..<2 {
            var request = LoadRequest(path: try Fixture.path("pass"))
            request.name = "\(name)\(number)"
            try bench.edit("tap") { [request] editor throws(XDPError) in try editor.load([request]) }
        }
        let narrow = try bench.xdpctl("stats", "tap")
        let page = try #require(try bench.chain("tap").manifest.counterPages.first)
        let map = try MapHandle(id: page)
        // Half of what a counter holds, in the first member's aborted and drop, packets and bytes.
        let count = try #require(try map.map.lookup([0, 0, 0, 0], valueSize: Self.pageSize(map))).count
        var value = [UInt8](repeating: 0, count: count)
        for place in [7, 15, 23, 31] { value[place] = 0x80 }
        try map.map.update([0, 0, 0, 0], to: value)

        let runs = [
            narrow, try bench.xdpctl("stats", "tap"), try bench.xdpctl("stats", "tap", "--verbose"),
            try bench.xdpctl("stats", "tap", "--for", "0.1"),
            try bench.xdpctl("top", "tap", "--once", "--every", "0.1"),
        ]
        // Not held against the schema, whose reader in the tests has smaller numbers.
        let json = try Subprocess.run(
            Subprocess.binary("xdpctl"), ["stats", "tap", "--json", "--netns", bench.path])

        for run in runs {
            #expect(run.status == 0 && run.output.contains("nnnn…"), "\(run)")
            #expect(run.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(run)")
        }
        #expect(narrow.output.contains(" 300\n"), "numbers stay exact where there is room: \(narrow)")
        #expect(runs[1].output.contains(" 9223372036854775808  "), "\(runs[1])")
        #expect(runs[3].output.contains(" 9.22 E "), "\(runs[3])")
        #expect(json.output.contains("9223372036854775808") && json.output.contains(name), "\(json)")
        #expect(try bench.xdpctl("stats", "--prometheus").output.contains("} 9223372036854775808\n"))
    }

    private static func pageSize(_ map: MapHandle) -> Int {
        map.information.lookupSize(possibleCPUs: max(1, Int(libbpf_num_possible_cpus())))
    }

    @Test("the interval of --for has rates, and compares only what came in it")
    func interval() throws {
        let bench = try bench()
        let process = try Subprocess(
            Subprocess.binary("xdpctl"), ["stats", "tap", "--for", "3s", "--json", "--netns", bench.path])
        usleep(1_500_000)
        for _ in 0..<30 { try bench.tap?.write(ChainBench.packet(for: .drop)) }
        let result = try process.wait()
        try CommandSchemas.check(["stats", "--json"], result)

        let value = try JSONValue(parsing: result.output)
        let interface = try #require(value["interfaces"]?[0])
        let sums = try #require(interface["reconciliation"])
        #expect(sums["of"] == .string("interval") && sums["adds_up"] == .bool(true), "\(result)")
        #expect(sums["entered"] == .integer(30) && sums["left"]?["drop"] == .integer(30), "\(result)")
        #expect(interface["members"]?[0]?["verdicts"]?[1]?["packets"] == .integer(35), "\(result)")
    }

    @Test("the exposition for Prometheus can be read, and has every verdict of every member")
    func prometheus() throws {
        let bench = try bench()

        let result = try bench.xdpctl("stats", "--prometheus")

        #expect(result.status == 0)
        let families = try Exposition.parse(result.output)
        let packets = try #require(families["xdp_packets_total"])
        #expect(packets.count == 12)
        let twice = try bench.xdpctl("stats", "tap", "tap", "--prometheus")
        #expect(try Exposition.parse(twice.output)["xdp_packets_total"]?.count == 12, "\(twice)")
        #expect(packets[["interface": "tap", "member": "choose", "verdict": "drop"]] == 5, "\(result)")
        #expect(packets[["interface": "tap", "member": "pass", "verdict": "pass"]] == 7, "\(result)")
        #expect(
            families["xdp_bytes_total"]?[["interface": "tap", "member": "choose", "verdict": "drop"]] == 300)
        #expect(families["xdp_stack_total"]?[["interface": "tap", "counter": "rx_dropped"]] == 6)
        #expect(families.keys.allSatisfy { $0.hasPrefix("xdp_") && $0.hasSuffix("_total") })
        // Nothing that was counted goes back, or gets other labels, by changes of the chain.
        try bench.edit("tap") { editor throws(XDPError) in
            _ = try editor.move("pass", to: .first)
            _ = try editor.setCounters(.off)
            _ = try editor.setCounters(.bytes)
        }
        let later = try Exposition.parse(try bench.xdpctl("stats", "--prometheus").output)
        for (name, series) in families {
            for (labels, value) in series {
                #expect(try #require(later[name]?[labels]) >= value, "\(name) \(labels)")
            }
        }
        #expect(
            try Exposition.parse(#"# HELP a_total x\#n# TYPE a_total counter\#na_total{b="q\"\\\n"} 1"#)[
                "a_total"]?[["b": "q\"\\\n"]] == 1)
    }

    @Test("interfaces with every character that a name can have are told apart in the exposition")
    func labels() throws {
        let name = #"q"\{}='é"#
        let bench = try ChainBench()
        let path = try Fixture.path("pass")
        try bench.namespace.run {
            var route = try RouteSocket()
            _ = try route.createVeth(name, peer: #"q"\n"#)
            _ = try ChainEditor(try Interface(named: name)).load([LoadRequest(path: path)])
        }

        let result = try bench.xdpctl("stats", "--prometheus")

        let packets = try #require(try Exposition.parse(result.output)["xdp_packets_total"])
        #expect(packets[["interface": name, "member": "pass", "verdict": "drop"]] == 0, "\(result)")
    }

    @Test("a view ends when nobody reads it any more, also where SIGPIPE is ignored")
    func closed() throws {
        let bench = try bench()
        let command = try Subprocess.binary("xdpctl")
        for words in ["stats tap --watch", "stats tap --watch --json", "top tap --json"] {
            let result = try Subprocess.run(
                "/bin/sh",
                [
                    "-c",
                    "trap '' PIPE; { timeout 20 '\(command)' \(words) --every 0.1 --netns \(bench.path); "
                        + "echo $? >&2; } | head -n 1",
                ])
            #expect(result.errors == "0\n", "\(words): \(result)")
        }
    }

    @Test("--watch without a terminal prints a block each time, without any escape code")
    func watchLines() throws {
        let bench = try bench()
        for words in [["stats", "tap", "--watch", "--every", "0.2"], ["top", "tap", "--every", "0.2"]] {
            let process = try Subprocess(Subprocess.binary("xdpctl"), words + ["--netns", bench.path])
            usleep(2_000_000)
            kill(process.processID, SIGINT)
            let result = try process.wait()
            #expect(result.status == 0, "\(result)")
            #expect(result.output.components(separatedBy: "\n\n").count > 2, "\(result)")
            #expect(!result.output.contains("\u{1b}") && result.output.contains("choose"), "\(result)")
        }
    }

    @Test("top measures what a chain costs, and how many packets each member saw")
    func top() throws {
        let bench = try bench()
        let process = try Subprocess(
            Subprocess.binary("xdpctl"), ["top", "--once", "--every", "3", "--json", "--netns", bench.path])
        usleep(1_500_000)
        for _ in 0..<3000 { try bench.tap?.write(ChainBench.packet(for: .pass)) }
        let result = try process.wait()
        try CommandSchemas.check(["top", "--json"], result)

        let interface = try #require(try JSONValue(parsing: result.output)["interfaces"]?[0])
        func number(_ value: JSONValue?) -> Double {
            switch value {
            case .number(let number)?: number
            case .integer(let number)?: Double(number)
            default: -1
            }
        }
        let rate = number(interface["packets_per_second"])
        #expect(rate > 500 && rate <= 1000, "\(result)")
        let cost = number(interface["nanoseconds_per_packet"])
        #expect(cost > 0 && cost < 100_000, "\(result)")
        #expect(number(interface["cpu_percent"]) >= 0)
        for place in 0..<2 {
            let seen = number(interface["members"]?[place]?["packets_per_second"])
            #expect(seen > 500 && seen <= 1000, "\(result)")
        }
    }
}

/// Reads the text format 0.0.4 of Prometheus, and refuses what it does not allow.
private enum Exposition {
    struct Malformed: Error { let line: Substring }

    static func parse(_ text: String) throws -> [String: [[String: String]: Double]] {
        var families: [String: [[String: String]: Double]] = [:]
        var helped: Set<Substring> = []
        var typed: Set<Substring> = []
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            if line.hasPrefix("# HELP ") {
                guard words.count == 4, helped.insert(words[2]).inserted else { throw Malformed(line: line) }
                continue
            }
            if line.hasPrefix("# TYPE ") {
                guard words.count == 4, words[3] == "counter", helped.contains(words[2]),
                    typed.insert(words[2]).inserted
                else { throw Malformed(line: line) }
                continue
            }
            guard let brace = line.firstIndex(of: "{"), typed.contains(line[..<brace]) else {
                throw Malformed(line: line)
            }
            var rest = line[line.index(after: brace)...]
            var labels: [String: String] = [:]
            while let equals = rest.firstIndex(of: "="), rest.first != "}" {
                let name = String(rest[..<equals])
                guard name.wholeMatch(of: #/[a-z_]+/#) != nil else { throw Malformed(line: line) }
                rest = rest[equals...].dropFirst()
                guard rest.popFirst() == "\"" else { throw Malformed(line: line) }
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    guard character == "\\" else {
                        value.append(character)
                        continue
                    }
                    switch rest.popFirst() {
                    case "n"?: value.append("\n")
                    case "\\"?: value.append("\\")
                    case "\""?: value.append("\"")
                    default: throw Malformed(line: line)
                    }
                }
                guard labels.updateValue(value, forKey: name) == nil else { throw Malformed(line: line) }
                if rest.first == "," { rest = rest.dropFirst() }
            }
            guard rest.hasPrefix("} "), let value = Double(rest.dropFirst(2)),
                families[String(line[..<brace]), default: [:]].updateValue(value, forKey: labels) == nil
            else { throw Malformed(line: line) }
        }
        return families
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing
import XDP

/// Every call into the kernel fails once, or is the last one, in every kind of change of a filter. Needs root.
@Suite("Changes of filters in which a call into the kernel fails")
struct FilterFaultTests {
    enum Change: String, CaseIterable, Sendable {
        case first, again, gate, confirm, revert, remove
    }

    @Test(
        "a change in which any one call fails has an error, the old filter, and nothing left over",
        arguments: Change.allCases)
    func sweep(_ change: Change) throws {
        let bench = try ChainBench()
        let rules = try MarkedRules()

        let result = try Subprocess.worker(bench, "near", ["fail", rules.mark] + rules.words(for: change))
            .wait(seconds: 240)

        #expect(result.status == 0, "\(result)")
    }

    @Test("after a kill at any call the old or the new rules run, and the next command works")
    func killed() throws {
        let bench = try FilterBench()
        let rules = try MarkedRules()
        var number = 0
        var seen: Set<String> = []
        while number < 2000 {
            number += 1
            _ = try? bench.edit { editor throws(XDPError) in try editor.remove() }
            try Self.run(bench, 0, ["filter", rules.old])
            let killed = try Subprocess.worker(
                bench.bench, "tap", ["kill", "\(number)", "filter", rules.new]
            ).wait()
            if killed.status == 0 { break }
            #expect(killed.status == -SIGKILL, "call \(number): \(killed)")

            let runs = try bench.filter().rules.rules[0].text
            let before = try bench.verdicts(.drop)["filter"] ?? 0
            try bench.send(FilterBench.udp(9, from: runs.hasPrefix("drop src") ? "192.0.2.1" : "203.0.113.1"))
            #expect(try bench.verdicts(.drop)["filter"] == before + 1, "call \(number)")
            seen.insert(runs)
            try Self.run(bench, 0, ["filter", rules.new])
            #expect(try bench.filter().rules.rules[0].text.hasPrefix("drop udp"), "call \(number)")
        }
        #expect(number > 10 && number < 2000)
        #expect(seen.count == 2)
    }

    private static func run(_ bench: FilterBench, _ number: Int, _ words: [String]) throws {
        let result = try Subprocess.worker(bench.bench, "tap", ["kill", "\(number)"] + words).wait()
        #expect(result.status == 0, "\(result)")
    }
}

/// Two rule files with a set whose name nobody else has; the names of its maps begin with it.
private struct MarkedRules {
    /// What the names of the set's maps begin with.
    let mark: String
    let directory: TemporaryDirectory
    let old: String
    let new: String

    init() throws {
        let name = "m" + String((0..<7).map { _ in "abcdefghijklmnopqrstuvwxyz".randomElement() ?? "a" })
        mark = "s_" + name
        directory = try TemporaryDirectory()
        old = try directory.write(
            "old.xdp",
            """
            set \(name) : prefix { 192.0.2.0/24 }
            rules {
              drop src in @\(name)
              default pass
            }
            """)
        new = try directory.write(
            "new.xdp",
            """
            set \(name) : prefix { 203.0.113.0/24 }
            rules {
              drop udp src in @\(name)
              drop udp dport 7
              default pass
            }
            """)
    }

    func words(for change: FilterFaultTests.Change) -> [String] {
        let before = ["setup", "filter", old]
        let waiting = before + ["setup", "filter", new, "600"]
        return switch change {
        case .first: ["then", "filter", old]
        case .again: before + ["then", "filter", new]
        case .gate: before + ["then", "filter", new, "600"]
        case .confirm: waiting + ["then", "confirm"]
        case .revert: waiting + ["then", "revert"]
        case .remove: before + ["then", "filter-remove"]
        }
    }
}

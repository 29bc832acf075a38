// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import Packets
import TestSupport
import Testing
import XDP

/// Following the reports of a filter, by the library and by the command. Needs root.
@Suite("Following reports")
struct FilterLogCommandTests {
    private static let rules = "rules { log udp dport 53 prefix \"dns\"\n log udp dport 67\n default pass }"

    /// Works with a follower inside the bench's namespace.
    private func following<T: Sendable>(
        _ bench: FilterBench, _ body: @Sendable (LogFollower) throws -> T
    ) throws -> T {
        try bench.bench.namespace.run { try body(LogFollower(on: try Interface(named: "tap"))) }
    }

    @Test("reports come with their rule, their packet and the time of people")
    func reports() throws {
        let bench = try FilterBench()
        try bench.apply(Self.rules)
        let before = time(nil)

        try bench.send(FilterBench.udp(53))
        try bench.send(FilterBench.udp(67, from: "192.0.2.7"))
        try bench.send(FilterBench.udp(80))
        let reports = try following(bench) { try Self.reports($0.next(milliseconds: 2000)) }

        #expect(reports.map(\.prefix) == ["dns", ""])
        #expect(reports.map(\.id) == [.rule(group: nil, index: 0), .rule(group: nil, index: 1)])
        #expect(
            reports.map(\.packet.description) == [
                "udp 192.0.2.1:40000 > 198.51.100.7:53 len 60",
                "udp 192.0.2.7:40000 > 198.51.100.7:67 len 60",
            ])
        #expect(
            reports.allSatisfy {
                ($0.time.seconds - Int64(before)) < 60 && $0.time.seconds >= Int64(before) - 1
            })
    }

    @Test("it goes on over a change of the rules, and ends when the filter goes")
    func changes() throws {
        let bench = try FilterBench()
        try bench.apply(Self.rules)

        let seen = try following(bench) { follower in
            var seen: [String] = []
            func note(until word: String) throws {
                for _ in 0..<20 {
                    for event in try follower.next(milliseconds: 1000) { seen.append(Self.word(event)) }
                    if seen.last?.hasPrefix(word) == true { return }
                }
            }
            try bench.send(FilterBench.udp(53))
            try note(until: "report")
            try bench.apply("rules { log udp dport 99\n log udp dport 53 prefix \"dns\"\n default pass }")
            try note(until: "changed")
            try bench.send(FilterBench.udp(99))
            try bench.send(FilterBench.udp(53))
            try note(until: "report log udp dport 53")
            try bench.edit { editor throws(XDPError) in _ = try editor.remove() }
            try note(until: "gone")
            return seen
        }

        #expect(
            seen == [
                "report log udp dport 53 prefix \"dns\"", "changed", "report log udp dport 99",
                "report log udp dport 53 prefix \"dns\"", "gone",
            ])
    }

    @Test("a second follower is refused while the first one runs; so is one where nothing logs")
    func refused() throws {
        let bench = try FilterBench()
        try bench.apply("rules { default pass }")
        let silent = try Subprocess.xdpctl("filter", "log", "tap", "--netns", bench.bench.path, "-c", "1")
        try bench.apply(Self.rules)

        let second = try following(bench) { _ in
            try Subprocess.xdpctl("filter", "log", "tap", "--netns", bench.bench.path, "-c", "1")
        }

        #expect(silent.status == 3)
        #expect(silent.errors.contains("none of its rules logs"))
        #expect(second.status == 3)
        #expect(second.errors.contains("process \(getpid()) ("))
    }

    @Test("the command prints a line for each report, and ends after as many as were asked for")
    func command() throws {
        let bench = try FilterBench()
        try bench.apply(Self.rules)
        try bench.send(FilterBench.udp(53), times: 2)

        let text = try Subprocess.xdpctl("filter", "log", "tap", "--netns", bench.bench.path, "-c", "2")
        try bench.send(FilterBench.udp(67))
        let json = try Subprocess.run(
            Subprocess.binary("xdpctl"),
            ["filter", "log", "tap", "--netns", bench.bench.path, "-c", "1", "--json"])

        let lines = text.output.split(separator: "\n")
        #expect(text.status == 0, "\(text)")
        #expect(lines.count == 2)
        #expect(lines.allSatisfy { $0.hasSuffix(" dns udp 192.0.2.1:40000 > 198.51.100.7:53 len 60") })
        #expect(json.status == 0, "\(json)")
        let schema = try JSONSchema("filter-log.json", in: JSONSchema.documented())
        let values = try json.output.split(separator: "\n").map { try JSONValue(parsing: String($0)) }
        #expect(values.map { $0["event"] } == [.string("watching"), .string("report")])
        for value in values { #expect(try schema.problems(value) == []) }
    }

    @Test("SIGTERM and SIGINT end the command as it should end", arguments: [SIGTERM, SIGINT])
    func signals(signal: Int32) throws {
        let bench = try FilterBench()
        try bench.apply(Self.rules)
        try bench.send(FilterBench.udp(53))

        let process = try Subprocess(
            Subprocess.binary("xdpctl"), ["filter", "log", "tap", "--netns", bench.bench.path])
        // Its first line says that signals are caught.
        var entry = pollfd(fd: process.output, events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 20_000) == 1)
        kill(process.processID, signal)
        let result = try process.wait()

        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains("udp 192.0.2.1:40000"))
    }

    @Test("reports for which there was no room are told, and counted")
    func lost() throws {
        let bench = try FilterBench()
        try bench.apply("rules { log udp at most 100000/second\n default pass }")

        let (reports, lost) = try following(bench) { follower in
            try bench.send(FilterBench.udp(53), times: 9000)
            var reports = 0
            var lost: UInt64 = 0
            while true {
                let events = try follower.next(milliseconds: 1000)
                reports += Self.reports(events).count
                for case .lost(let count) in events { lost += count }
                if events.isEmpty { return (reports, lost) }
            }
        }

        #expect(lost > 0)
        #expect(reports + Int(lost) == 9000)
    }

    private static func reports(_ events: [LogFollower.Event]) -> [RuleReport] {
        events.compactMap { if case .report(let report) = $0 { report } else { nil } }
    }

    private static func word(_ event: LogFollower.Event) -> String {
        switch event {
        case .report(let report): "report \(report.rule?.text ?? "-")"
        case .lost: "lost"
        case .changed: "changed"
        case .gone: "gone"
        }
    }
}

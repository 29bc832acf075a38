// SPDX-License-Identifier: Apache-2.0
import BPF
import TestSupport
import Testing
import XDP

/// What runs, written down and made again. Needs root.
@Suite("Chains that are exported")
struct ExportTests {
    /// A chain with everything that can be said of one.
    private func fill(_ bench: ChainBench, _ pins: PinDirectory) throws {
        try bench.load("replace_v1", as: "owner") { $0.pinDirectory = pins.path }
        let kept = try bench.chain().map("kept", of: "owner").id
        try bench.load("replace_v1", as: "sharer") { request in
            request.reusedMaps = ["kept": .id(kept), "removed": .pinned(pins.path + "/removed")]
        }
        try bench.load("verdict") { request in
            request.variables = [
                "label": "a: \"b\" # c", "verdict": "0x2", "longest": "100", "enabled": "true",
            ]
            request.edges = [.drop: .member("sharer")]
            request.position = .first
        }
        try bench.load("no_entries") { $0.maximumEntries["per_cpu_set_by_loader"] = 12 }
        try bench.load("several", as: "several") { $0.program = "several_second" }
        try bench.load("run_config", at: .last)
        try bench.edit { editor throws(XDPError) in
            try editor.setEdges("run_config", [.drop: nil])
        }
        try bench.edit { editor throws(XDPError) in try editor.setCounters(.packets) }
    }

    @Test("an exported chain is applied without a change")
    func unchanged() throws {
        let bench = try ChainBench()
        let pins = PinDirectory()
        let directory = try TemporaryDirectory()
        try fill(bench, pins)
        let program = try bench.chain().programID

        let text = try bench.xdpctl("export", "near")
        let json = try bench.xdpctl("export", "near", "--json")
        let fromText = try bench.apply(try directory.write("a.yaml", text.output))
        let fromJSON = try bench.apply(try directory.write("b.yaml", json.output))

        #expect(text.status == 0 && json.status == 0)
        #expect(fromText.map(\.swaps) == [0], "\(fromText)\n\(text)")
        #expect(fromJSON.map(\.swaps) == [0], "\(fromJSON)\n\(json)")
        #expect(try bench.chain().programID == program)
    }

    @Test("an exported chain that was unloaded is made again, and exported again to the same bytes")
    func roundTrip() throws {
        let bench = try ChainBench()
        let pins = PinDirectory()
        let directory = try TemporaryDirectory()
        try fill(bench, pins)
        let before = try bench.chain().manifest.chain
        // Held, as whoever shares it would.
        let shared = try bench.chain().map("kept", of: "owner")
        let exported = try bench.xdpctl("export", "near").output
        let file = try directory.write("a.yaml", exported)

        _ = try bench.xdpctl("unload", "near", "--all")
        let gone = try bench.memberNames()
        let applied = try bench.apply(file)
        let after = try bench.chain().manifest.chain
        let again = try bench.xdpctl("export", "near").output

        #expect(gone == [])
        #expect(applied.map(\.outcome) == ["attached"])
        #expect(again == exported)
        #expect(after.members.map(\.name) == before.members.map(\.name))
        #expect(after.members.map(\.unit.instructions) == before.members.map(\.unit.instructions))
        #expect(after.members.map(\.settings) == before.members.map(\.settings))
        #expect(after.counters == before.counters)
        for (old, new) in zip(before.members, after.members) {
            for verdict in Verdict.allCases {
                #expect(old.edge(after: verdict) == new.edge(after: verdict), "\(old.name) \(verdict)")
            }
        }
        #expect(try bench.chain().map("kept", of: "sharer").id == shared.id)
    }

    @Test("all interfaces with a chain are exported at once, and one without a chain says so")
    func all() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let nothing = try bench.xdpctl("export", "--all")
        let none = try bench.xdpctl("export", "near")
        try bench.loadAll("pass")
        try bench.edit("far") { editor throws(XDPError) in
            _ = try editor.load([LoadRequest(path: try Self.path("pass"))], mode: .generic)
        }
        let both = try bench.xdpctl("export", "--all")
        let file = try directory.write("a.yaml", both.output)

        #expect(nothing.output == "version: 1\ninterfaces: {}\n")
        #expect(none.output.hasSuffix("    members: []\n"), "\(none)")
        #expect(both.output.contains("  near:\n") && both.output.contains("  far:\n    mode: generic\n"))
        #expect(try bench.apply(file).map(\.swaps) == [0, 0])
    }

    private static func path(_ fixture: String) throws(XDPError) -> String {
        do {
            return try Fixture.path(fixture)
        } catch {
            throw XDPError(.failed, "fixture", because: "\(error)")
        }
    }

    @Test("what is no chain cannot be exported")
    func foreign() throws {
        let bench = try ChainBench()
        let stranger = try AttachedStranger(bench, byLink: true)
        let one = try bench.xdpctl("export", "near")
        let all = try bench.xdpctl("export", "--all")
        let unclear = try bench.xdpctl("export", "near", "--all")

        #expect(one.status == 3)
        #expect(all.status == 0)
        #expect(all.errors.contains("near is left out"), "\(all)")
        #expect(unclear.status == 2)
        _ = stranger.id
    }
}

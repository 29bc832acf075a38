// SPDX-License-Identifier: Apache-2.0
import BPF
import Packets
import TestSupport
import Testing

@testable import XDP

/// Every fixture between two others, on this kernel: pass → fixture → pass. Needs root.
@Suite("Fixtures in a chain")
struct LinkFixtureTests {
    /// Fixture, the program to take where there are several, and how it is put in.
    typealias Row = (fixture: String, program: String?, mode: Composition.Mode)

    static let inlined = [
        "pass", "drop", "tx", "aborted", "verdict", "choose", "variables", "exits", "unknown_verdict",
        "wide_verdict", "garbage_verdict", "stamp", "ports", "lpm", "counters", "flow_table", "flow_hosts",
        "flow_sizes", "scrub_a", "scrub_b", "scrub_c", "scrub_d", "reads_r9", "stack272", "stack448",
        "stack504", "stack_variable", "subprograms", "global_function", "frames", "functions",
        "loop", "for_each", "timer",
        "spin_lock", "map_in_map", "ring_buffer", "perf_output", "redirect", "devmap", "cpumap", "xskmap",
        "frags", "push_vlan", "pop_vlan", "trim", "meta_write", "meta_read", "mixed", "long_name",
        "run_config", "pinned", "printk", "maps40", "large", "branches", "proprietary", "gpl_helper",
        "dual_license", "kfunc_weak", "core", "kconfig", "naked", "may_goto", "iterator", "modern",
        "redirect_bare", "redirect_variable", "devmap_hash", "devmap_values", "cpumap_drop", "xskmap_drop",
        "frags_redirect", "helper_recent",
        "replace_v1", "replace_v2", "section_prog", "dispatcher_v1", "dispatcher_bpfman",
    ]

    static let rows: [Row] =
        inlined.map { ($0, nil, .inline) } + [
            ("tail_static", nil, .call), ("tail_tx", "tail_tx", .call), ("tail_user", nil, .call),
            ("tail_self", nil, .call),
            ("frags_tail", nil, .call), ("several", "several_first", .inline),
            ("several", "several_second", .inline), ("several", "several_third", .inline),
            ("verdicts", "from_table", .inline), ("verdict_words", "by_words", .inline),
            ("verdict_map", "plain_policy", .inline), ("verdict_loop", nil, .inline),
            ("redirects", "else_pass", .inline), ("uses", "reads_queue", .inline),
            ("sections", "section_slash", .inline), ("sections", "section_underscore", .inline),
            ("sections", "section_dash", .inline), ("sections", "section_prog", .inline),
        ]

    /// pass → fixture → pass; every verdict of the fixture goes on.
    private func build(_ fixture: String, _ program: String? = nil) throws -> (Chain, [String: [MapHandle]]) {
        var maps: [String: [MapHandle]] = [:]
        var chain = Chain()
        var builder = MemberBuilder()
        // The neighbours are plain xdp programs.
        builder.othersSupportFrags = false
        for (name, fixture, program) in [
            ("first", "pass", nil), ("middle", fixture, program), ("last", "pass", nil),
        ] {
            var request = LoadRequest(path: try Fixture.path(fixture))
            request.name = name
            request.program = program
            request.pinDirectory = "/sys/fs/bpf/nobody-pins-here"
            if fixture == "no_entries" { request.maximumEntries["per_cpu_set_by_loader"] = 4 }
            let built = try builder.build(request)
            try chain.insert(built.member, at: .last)
            maps[name] = built.maps
        }
        for verdict in Verdict.allCases { try chain.setEdge("middle", after: verdict, to: .next) }
        return (chain, maps)
    }

    @Test("links, loads and runs between two others", arguments: rows)
    func links(fixture: String, program: String?, mode: Composition.Mode) throws {
        try KernelNeed.check(fixture)
        let (chain, maps) = try build(fixture, program)

        // A frame of 504 bytes leaves room for the context, and for nothing else.
        let loaded = try KernelChain(chain, maps: maps, counters: fixture == "stack504" ? .off : .bytes)

        #expect(loaded.linked.compositions.map(\.mode) == [.inline, mode, .inline])
        let packet = Packet.ethernet().ipv4().udp(from: 1, to: 2, payload: [UInt8](1...40))
        let run = try loaded.testRun(packet.bytes)
        // A verdict that is none ends the chain; every other one leads to the last member, which passes.
        #expect(run.verdict == (fixture == "unknown_verdict" ? 7 : 2))
        guard fixture != "stack504" else { return }
        let counters = try loaded.counters()
        #expect(counters.prefix(2).map(\.total.packets) == [1, 1])
        #expect(counters[2].total.packets == (fixture == "unknown_verdict" ? 0 : 1))
    }

    @Test("the table names every fixture, so that a new one is not forgotten")
    func complete() throws {
        let named = Set(Self.rows.map(\.fixture)).union(Self.refused.map(\.fixture))
        let objects = try Fixtures.all()

        #expect(objects.subtracting(named).isEmpty, "not in a table: \(objects.subtracting(named).sorted())")
        #expect(named.subtracting(objects).isEmpty)
    }

    // MARK: Refused

    struct Refusal: CustomStringConvertible {
        var fixture: String
        var program: String?
        var neighbour = "pass"
        var isFirst = false
        /// What the message must say, of the member and of the reason.
        var says: [String]

        var description: String { fixture }
    }

    static let refused: [Refusal] = [
        Refusal(
            fixture: "legacy_maps", says: ["legacy_maps.o", "struct bpf_map_def", "Rebuild it with maps"]),
        Refusal(
            fixture: "no_entries", says: ["no_entries.o", "per_cpu_set_by_loader", "--max-entries"]),
        Refusal(fixture: "lpm_preallocated", says: ["lpm_preallocated.o", "prefixes", "failed to create"]),
        Refusal(
            fixture: "maps65",
            says: ["middle does not fit into the chain", "maps, and one program may refer to 64"]),
        Refusal(
            fixture: "proprietary_gpl_helper",
            says: ["middle", "GPL-restricted function from non-GPL compatible program"]),
        Refusal(
            fixture: "gpl_helper", neighbour: "proprietary",
            says: ["middle cannot share a chain with", "first (\"Proprietary\")", "GPL-restricted"]),
        Refusal(
            fixture: "kfunc_missing",
            says: ["kfunc_missing.o", "bpf_xdp_fixture_is_missing", "use a newer kernel"]),
        Refusal(
            fixture: "helper_missing",
            says: [
                "The verifier rejects middle", "#9999", "helper 9999 is not in this kernel",
                "helper_missing.c:9",
            ]),
        Refusal(
            fixture: "rx_hash", says: ["The verifier rejects middle", "device-bound", "hardware metadata"]),
        Refusal(
            fixture: "core_missing",
            says: ["The verifier rejects middle", "core_missing.c:14", "field of a kernel structure"]),
        Refusal(
            fixture: "rejected_bounds",
            says: ["The verifier rejects middle", "rejected_bounds.c:10: if (ethernet->h_proto"]),
        Refusal(
            fixture: "rejected_unreachable",
            says: ["The verifier rejects middle", "unreachable insn", "rejected_unreachable.c:7"]),
        Refusal(
            fixture: "rejected_loop",
            says: ["The verifier rejects middle", "infinite loop detected", "rejected_loop.c:9"]),
        Refusal(
            fixture: "rejected_uninitialised", isFirst: true,
            says: ["The verifier rejects middle", "R8 !read_ok", "rejected_uninitialised.c:9"]),
        Refusal(
            fixture: "throw", says: ["middle cannot share a program", "bpf_throw", "--isolate"]),
        Refusal(
            fixture: "devmap_program", program: "on_egress",
            says: ["middle cannot be a member", "devmap", "Put it into the map's entry"]),
        Refusal(fixture: "devmap_program", program: "on_cpu", says: ["middle cannot be a member", "cpumap"]),
        // bpf_obj_new names a type of its own BTF, which a chain does not carry.
        Refusal(fixture: "object_list", says: ["The verifier rejects middle"]),
    ]

    @Test("is refused, with the member and the reason named", arguments: refused)
    func refuses(_ row: Refusal) throws {
        if row.fixture == "rx_hash" { try KernelNeed.metadata.check() }
        try KernelNeed.check(row.fixture)
        let error = #expect(throws: XDPError.self) {
            var maps: [String: [MapHandle]] = [:]
            var chain = Chain()
            for (name, fixture) in [("first", row.neighbour), ("middle", row.fixture), ("last", "pass")] {
                var request = LoadRequest(path: try Fixture.path(fixture))
                request.name = name
                if name == "middle" { request.program = row.program }
                let built = try MemberBuilder().build(request)
                try chain.insert(built.member, at: row.isFirst && name == "middle" ? .first : .last)
                maps[name] = built.maps
            }
            _ = try KernelChain(chain, maps: maps)
        }

        let message = error?.description ?? ""
        for text in row.says { #expect(message.contains(text), "\(message)") }
    }

    @Test("a register that nobody wrote is zero behind another member, as the linker scrubs it")
    func uninitialised() throws {
        let chain = try KernelChain(fixtures: ["pass", "rejected_uninitialised"])

        #expect(try chain.testRun(Packet.ethernet().ipv4().udp().bytes).verdict == 0)
    }

    @Test(
        "alone, a member that throws and one with its own kind of section load where they may",
        arguments: ["throw", "stack504", "tail_static"])
    func alone(fixture: String) throws {
        try KernelNeed.check(fixture)

        let chain = try KernelChain(fixtures: [fixture])

        #expect(chain.linked.compositions[0].mode == .inline)
    }
}

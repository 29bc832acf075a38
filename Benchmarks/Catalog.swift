// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import Packets
import TestSupport
import XDP

/// Programs to make chains of, each built once; chains share their maps.
final class Catalog {
    /// What all measurements send.
    static let packet = Packet.ethernet().ipv4().udp(from: 40000, to: 4242).padded(to: 64).bytes

    let maps = MapPool()
    private var held: [MapHandle] = []
    private(set) var counterPage: UInt32 = 0

    /// Ordinary programs whose verdict for the packet is pass.
    private(set) var passing: [Member] = []
    /// Everything that chains of the verifier's work are drawn from.
    private(set) var all: [Member] = []

    /// Fixtures that are like programs in use, and some that are awkward for the verifier. Those with a
    /// single verdict other than pass are left out, since everything behind them is dead code; and so are
    /// those whose own work is so large that it would hide what linking adds.
    private static let fixtures = [
        "flow_table", "flow_hosts", "flow_sizes", "counters", "ports", "lpm", "pass", "choose", "exits",
        "stamp", "scrub_a", "scrub_b", "scrub_c", "scrub_d", "reads_r9", "stack272", "stack_variable",
        "subprograms", "global_function", "loop", "for_each", "timer", "spin_lock", "map_in_map",
        "ring_buffer", "perf_output", "devmap", "cpumap", "xskmap", "tail_static", "push_vlan", "pop_vlan",
        "trim", "meta_write", "run_config", "printk",
    ]

    init() throws {
        let page = try MapHandle(CounterPage.definition)
        hold([page])
        counterPage = page.id
        for name in Self.fixtures { try add(Fixture.path(name)) }
        for path in Self.toolObjects() { try add(path) }
    }

    /// The filters of Debian's xdp-tools.
    static func toolObjects() -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        guard glob("/usr/lib/*/bpf/xdpfilt_*.o", 0, nil, &found) == 0 else { return [] }
        return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
    }

    private func hold(_ new: [MapHandle]) {
        held += new
        maps.add(new)
    }

    /// Takes a program in if this kernel takes it alone.
    private func add(_ path: String) throws {
        guard let built = try? MemberBuilder().build(LoadRequest(path: path)) else { return }
        hold(built.maps)
        var member = built.member
        member.edges = [:]
        guard let program = try? load([member]) else { return }
        all.append(member)
        let run = try program.program.testRun(Self.packet)
        let isOrdinary =
            path.contains("xdpfilt") || path.contains("flow_") || path.hasSuffix("counters.o")
            || path.hasSuffix("ports.o") || path.hasSuffix("lpm.o")
        if isOrdinary, run.verdict == Verdict.pass.rawValue, run.packet == Self.packet {
            passing.append(member)
        }
    }

    /// As many members as asked for, in turn, with names of their own.
    func members(_ count: Int, of pool: [Member]) -> [Member] {
        guard !pool.isEmpty else { return [] }
        return (0..<count).map { pool[$0 % pool.count] }
    }

    /// `return XDP_PASS`: what remains of a chain of them is glue.
    static let passOnly = Member(
        name: "pass", origin: "", digest: [],
        unit: Unit(program: "pass", license: "GPL", instructions: [.move(.r0, 2), .exit]), mapIDs: [])

    func chain(_ members: [Member], counters: CounterMode = .off) throws -> Chain {
        var numbered = members
        for place in numbered.indices {
            numbered[place].name = "\(members[place].name)-\(place)"
            numbered[place].counterSlot = place
        }
        return Chain(members: numbered, counters: counters)
    }

    func link(
        _ chain: Chain, callsAll: Bool = false
    ) throws -> LinkedProgram {
        // What every kernel of the last years has.
        var linker = Linker(limits: LinkLimits(hasLongJumps: true, frameRounding: 32))
        linker.callsAll = callsAll
        return try linker.link(chain, counting: .init(mode: chain.counters, pageIDs: [counterPage]))
    }

    func load(
        _ members: [Member], counters: CounterMode = .off, callsAll: Bool = false
    ) throws -> ChainLoader.LoadedChain {
        let chain = try chain(members, counters: counters)
        return try ChainLoader(maps: maps).load(try link(chain, callsAll: callsAll), of: chain)
    }
}

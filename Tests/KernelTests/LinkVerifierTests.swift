// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import Packets
import TestSupport
import Testing

@testable import XDP

/// What the verifier and bpftool see of a chain. Needs root, and bpftool.
@Suite("Chains in the verifier")
struct LinkVerifierTests {
    private func processed(_ fixtures: [String], _ counters: CounterMode = .off) throws -> Int {
        let statistics = try KernelChain(fixtures: fixtures, counters: counters).statistics
        return try #require(statistics).processedInstructions
    }

    @Test(
        "scrubbing keeps the verifier's work a sum",
        arguments: [
            ["scrub_a", "scrub_b", "scrub_c", "scrub_d"],
            ["flow_table", "flow_hosts", "flow_sizes", "flow_table"],
            ["flow_hosts", "reads_r9", "scrub_a", "flow_sizes"],
            ["tail_static", "scrub_b", "scrub_c", "scrub_a"],
        ])
    func additive(fixtures: [String]) throws {
        let sum = try fixtures.reduce(0) { $0 + (try processed([$1])) }

        let together = try processed(fixtures)

        #expect(Double(together) <= 1.2 * Double(sum), "\(together) against \(sum)")
    }

    @Test("every member's own source lines are shown, and the glue between them")
    func sourceLines() throws {
        let chain = try KernelChain(
            fixtures: ["choose", "ports", "tail_static", "counters"], counters: .bytes)
        let id = try chain.loaded.program.information().id

        let dump = try bpftool(["prog", "dump", "xlated", "id", "\(id)", "linum"])

        for expected in [
            "return ethernet->h_dest[ETH_ALEN - 1] & 7;", "choose.c line_num:12",
            "verdict = bpf_map_lookup_elem(&ports, &port);", "ports.c line_num:",
            "bpf_tail_call(ctx, &callees, 0);", "tail_static.c line_num:", "packets += 1;",
            "counters.c line_num:", "; chain: verdict of choose_0", "; chain: enter ports_1",
            "; chain: call tail_static_2", "int caller(",
        ] {
            let isThere = dump.contains(expected)
            #expect(isThere, "no \"\(expected)\"")
        }
    }

    @Test("sixty-four members load, count, and pass a packet through all of them")
    func sixtyFour() throws {
        let packet = Packet.ethernet(to: "02:00:00:00:00:02").ipv4().udp().bytes
        let chain = try KernelChain(fixtures: [String](repeating: "choose", count: 64), counters: .bytes)
        let stamps = try KernelChain(fixtures: [String](repeating: "stamp", count: 64))

        let run = try chain.testRun(packet)
        let stamped = try stamps.testRun(packet)

        #expect(run.verdict == 2)
        #expect(stamped.packet.prefix(6) == [1, 1, 1, 1, 1, 1])
        #expect(chain.pages.count == 1)
        let counters = try chain.counters()
        #expect(counters.count == 64)
        #expect(counters.allSatisfy { $0[.pass] == Counter(packets: 1, bytes: UInt64(run.packet.count)) })
    }

    @Test("the sixty-fifth member has its counters on a second page")
    func sixtyFive() throws {
        let fixtures = [String](repeating: "choose", count: 65)
        let chain = try KernelChain(fixtures: fixtures, counters: .packets)
        let packets = [2, 2, 1].map {
            Packet.ethernet(to: .init([2, 0, 0, 0, 0, UInt8($0)])).ipv4().udp().bytes
        }

        for packet in packets { _ = try chain.testRun(packet) }

        #expect(chain.pages.count == 2)
        let counters = try chain.counters()
        #expect(counters[0][.pass].packets == 2 && counters[0][.drop].packets == 1)
        #expect(counters[64].total == Counter(packets: 2))
        #expect(counters[64][.pass].packets == 2)
    }

    @Test("program arrays of members keep working when whoever loaded them has closed everything")
    func programArrays() throws {
        let packet = Packet.ethernet().ipv4().udp().bytes
        var held: [MapHandle] = []
        let program: KernelProgram
        do {
            let chain = try KernelChain(fixtures: ["pass", "tail_static", "pass"])
            #expect(try chain.testRun(packet).verdict == 2)
            // What is kept beyond the loader: as PinKeeper does, the program arrays and nothing else.
            let arrays = Set(chain.chain.members.flatMap(\.programArrayIDs))
            #expect(arrays.count == 1)
            held = chain.maps.values.flatMap { $0 }.filter { arrays.contains($0.id) }
            program = KernelProgram(try Program(id: chain.loaded.program.information().id))
        }
        #expect(try program.program.testRun(packet).verdict == 2)

        held = []

        // Without a holder the kernel empties the array, some time later, and the caller's own verdict, drop,
        // shows.
        #expect(held.isEmpty)
        var verdict = try program.program.testRun(packet).verdict
        for _ in 0..<500 where verdict != 1 {
            usleep(10_000)
            verdict = try program.program.testRun(packet).verdict
        }
        #expect(verdict == 1)
    }

    private final class KernelProgram {
        let program: Program
        init(_ program: consuming Program) { self.program = program }
    }

    private func bpftool(_ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/sbin/bpftool")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        do {
            try process.run()
        } catch {
            Issue.record("no /usr/sbin/bpftool: install the package bpftool")
            throw error
        }
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}

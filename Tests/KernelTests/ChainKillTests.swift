// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Packets
import TestSupport
import Testing
import XDP

/// A change is killed at every call into the kernel that it makes. Needs root.
@Suite("Changes that are killed")
struct ChainKillTests {
    /// What can be seen from outside.
    private struct State: Equatable {
        var members: [String]
        var files: [String]
        /// Those whose owner is there.
        var taps: [String]
        var isClosed: Bool

        init(_ occupant: Occupant) {
            guard case .chain(let active) = occupant else {
                (members, files, taps, isClosed) = ([], [], [], false)
                return
            }
            taps = active.manifest.chain.taps.filter { $0.hasOwner() }.map(\.name)
            members = active.manifest.chain.members.map(\.name)
            files = active.manifest.chain.members.map(\.origin)
            isClosed = active.manifest.isClosed
        }
    }

    @Test(
        "after a kill at any call the old or the new chain runs, and the next command works",
        arguments: ChainFaultTests.Change.allCases)
    func everywhere(_ change: ChainFaultTests.Change) async throws {
        let bench = try ChainBench(withTAP: true)
        let marked = try MarkedObject()
        let steps = try marked.steps(for: change)
        try Self.prepare(bench, steps.before)
        let old = State(try bench.occupant("tap"))
        try Self.run(bench, steps.change)
        let new = State(try bench.occupant("tap"))
        var number = 0
        var seen: Set<Bool> = []
        while true {
            number += 1
            try Self.prepare(bench, steps.before)
            let killed = try Subprocess.worker(bench, "tap", ["kill", "\(number)"] + steps.change).wait()
            if killed.status == 0 { break }
            #expect(killed.status == -SIGKILL, "call \(number): \(killed)")

            let occupant = try bench.occupant("tap")
            let state = State(occupant)
            let closes = [.lastUnload, .lastUntap, .firstLoadAfterDead].contains(change)
            let isLast = closes && state.isClosed
            #expect(state == old || state == new || isLast, "call \(number): \(state)")
            seen.insert(state == old)
            #expect(try Self.isTransmitted(bench) == (state.members.last == "tx"), "call \(number)")

            if state == old || isLast {
                // The next command; where the members are gone already there is nothing left to unload.
                let result = try Subprocess.worker(bench, "tap", ["kill", "0"] + steps.change).wait()
                #expect(result.status == 0 || isLast, "call \(number): \(result)")
            }
            #expect(State(try bench.occupant("tap")) == new, "call \(number)")
        }
        #expect(number > 10)
        // A load is over with its swap. An unload goes on, and can be killed when the new chain runs; and so does
        // what gives up an array, or looks whether its array is still in use.
        let goesOn = ![.firstLoad, .load, .replace, .isolatedLoad, .tap, .untap, .loadAfterDead].contains(
            change)
        let isFirst = [.firstLoad, .firstTap, .firstLoadAfterDead].contains(change)
        #expect(seen == (goesOn ? [true, false] : [true]) || isFirst)
        var link: UInt32?
        if case .chain(let active) = try bench.occupant("tap") { link = active.linkID }
        try Self.prepare(bench, [])
        #expect(try bench.memberNames().isEmpty)
        #expect(link.map { !BPFPins.links().contains($0) } ?? true)
        // What only time would sweep; another test waits for that.
        for id in try Self.markedPins(marked.mark, among: BPFPins.arrays()) {
            try BPFFileSystem.unpin("\(BPFPins.directory)/array-\(id)")
        }
    }

    @Test("pins of program arrays that a kill left behind are swept after a minute")
    func swept() async throws {
        let bench = try ChainBench(withTAP: true)
        let marked = try MarkedObject()
        let load = try marked.steps(for: .firstLoad).change
        let before = BPFPins.arrays()
        var number = 1
        // The first kill after a program array was pinned.
        var left: Set<UInt32> = []
        while left.isEmpty {
            let result = try Subprocess.worker(bench, "tap", ["kill", "\(number)"] + load).wait()
            try #require(result.status == -SIGKILL, "the load ended before a pin was left")
            left = try Self.markedPins(marked.mark, among: BPFPins.arrays().subtracting(before))
            number += 1
        }

        try await Task.sleep(for: .seconds(62))
        try bench.loadAll("pass")

        #expect(left.isDisjoint(with: BPFPins.arrays()))
    }

    // MARK: Steps

    private static func prepare(_ bench: ChainBench, _ steps: [[String]]) throws {
        if case .chain = try bench.occupant("tap") { try run(bench, ["clear"]) }
        for step in steps { try run(bench, step) }
    }

    private static func run(_ bench: ChainBench, _ words: [String]) throws {
        let result = try Subprocess.worker(bench, "tap", ["kill", "0"] + words).wait()
        guard result.status == 0 else { throw Subprocess.Failure(what: "\(words): \(result)") }
    }

    /// Whether a packet comes back, as the fixture `tx` has it.
    private static func isTransmitted(_ bench: ChainBench) throws -> Bool {
        let packet = Packet.ethernet().ipv4().udp().padded(to: 60)
        _ = try bench.tap?.readAll()
        try bench.tap?.write(packet)
        return try bench.tap?.readAll() == [packet.bytes]
    }

    // MARK: Pins

    /// The pins whose program array holds a program with a map of the mark.
    private static func markedPins(_ mark: String, among ids: Set<UInt32>) throws -> Set<UInt32> {
        try ids.filter { id in
            guard let array = try? MapHandle(BPFMap(pinnedAt: "\(BPFPins.directory)/array-\(id)")),
                let program = try array.number(), let callee = try? Program(id: UInt32(program))
            else { return false }
            return try callee.mapIDs().contains { id in
                try BPFMap(id: id).information().definition.name.hasPrefix(mark)
            }
        }
    }
}

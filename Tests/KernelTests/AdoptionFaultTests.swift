// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Packets
import TestSupport
import Testing

@testable import XDP

/// Every call into the kernel fails once, and is the last one once, in adoption and release. Needs root.
@Suite("Adoption with faults and kills")
struct AdoptionFaultTests {
    enum Change: String, CaseIterable, Sendable {
        case adopt, release
        /// For the time of a capture.
        case tap, untap

        var isEnd: Bool { self == .release || self == .untap }
    }

    @Test(
        "with any one call failing the program runs on, alone or as a member, and the next command works",
        arguments: Change.allCases, [ForeignLoader.Way.raw, .netlink])
    func faults(_ change: Change, _ way: ForeignLoader.Way) throws {
        let bench = try ChainBench()
        let owner = try ForeignLoader(bench, "pass", by: way)
        defer { Self.removeArrays(holding: owner.programID) }
        let before = try bench.hook()

        let result = try Subprocess.worker(bench, "near", ["fail-adoption", change.rawValue]).wait(
            seconds: 180)

        #expect(result.status == 0, "\(result)")
        #expect(try bench.hook() == before)
    }

    @Test(
        "killed at any call, the program runs on, alone or as a member, and the next command works",
        arguments: Change.allCases, [ForeignLoader.Way.raw, .netlink])
    func kills(_ change: Change, _ way: ForeignLoader.Way) throws {
        let bench = try ChainBench(withTAP: true)
        let owner = try ForeignLoader(bench, "tx", on: "tap", by: way)
        defer { Self.removeArrays(holding: owner.programID) }
        let before = try bench.hook("tap")
        let words = [change.rawValue, "foreign"]
        let isForTap = change == .tap || change == .untap
        func adopt() throws {
            if isForTap { return try Self.run(bench, ["tap", "foreign"]) }
            _ = try bench.adopt("tap")
        }
        func release() throws {
            if isForTap { return try Self.run(bench, ["untap", "foreign"]) }
            try bench.release("tap")
        }
        var number = 0
        while true {
            number += 1
            let isAdopted = try Self.isAdopted(bench)
            if change.isEnd, !isAdopted { try adopt() }
            if !change.isEnd, isAdopted { try release() }
            let killed = try Subprocess.worker(bench, "tap", ["kill", "\(number)"] + words).wait()
            if killed.status == 0 { break }
            #expect(killed.status == -SIGKILL, "call \(number): \(killed)")

            #expect(try Self.isTransmitted(bench), "call \(number)")
            if try Self.isAdopted(bench) {
                #expect(try bench.chain("tap").linkID == before.link, "call \(number)")
                #expect(before.link.map { BPFPins.links().contains($0) } ?? true, "call \(number)")
            } else {
                #expect(try bench.hook("tap") == before, "call \(number)")
            }
            let wanted = !change.isEnd
            if try Self.isAdopted(bench) != wanted {
                let again = try Subprocess.worker(bench, "tap", ["kill", "0"] + words).wait()
                #expect(again.status == 0, "call \(number): \(again)")
            }
            #expect(try Self.isAdopted(bench) == wanted, "call \(number)")
        }
        #expect(number > 5)

        if try !Self.isAdopted(bench) { try adopt() }
        try release()
        #expect(try bench.hook("tap") == before)
        #expect(!BPFPins.links().contains(owner.linkID))
    }

    @Test("a pin that was left on a link which its owner holds is swept after a minute, others stay")
    func swept() async throws {
        let (bench, other) = (try ChainBench(), try ChainBench())
        let owner = try ForeignLoader(bench, "pass")
        let gone = try ForeignLoader(other, "pass")
        _ = try other.adopt()
        gone.end()
        try other.release()
        defer { try? BPFFileSystem.unpin("\(BPFPins.directory)/link-\(gone.linkID)") }
        _ = try bench.adopt()
        // The chain is gone, and our pin still on the link.
        _ = try owner.update(to: "drop")
        #expect(BPFPins.links().isSuperset(of: [owner.linkID, gone.linkID]))

        try await Task.sleep(for: .seconds(62))
        let third = try ChainBench()
        try third.load("pass")

        #expect(!BPFPins.links().contains(owner.linkID))
        #expect(BPFPins.links().contains(gone.linkID))
        #expect(try other.hook().program == gone.programID)
        #expect(try bench.hook().link == owner.linkID)
    }

    private static func run(_ bench: ChainBench, _ words: [String]) throws {
        let result = try Subprocess.worker(bench, "tap", ["kill", "0"] + words).wait()
        guard result.status == 0 else { throw Subprocess.Failure(what: "\(words): \(result)") }
    }

    private static func isAdopted(_ bench: ChainBench) throws -> Bool {
        if case .chain = try bench.occupant("tap") { return true }
        return false
    }

    /// Whether a packet comes back, as the fixture `tx` has it.
    private static func isTransmitted(_ bench: ChainBench) throws -> Bool {
        let packet = Packet.ethernet().ipv4().udp().padded(to: 60)
        _ = try bench.tap?.readAll()
        try bench.tap?.write(packet)
        return try bench.tap?.readAll() == [packet.bytes]
    }

    /// What only time would sweep; another test waits for that.
    private static func removeArrays(holding program: UInt32) {
        for id in BPFPins.arrays() {
            let path = "\(BPFPins.directory)/array-\(id)"
            if PinKeeper.programs(inArrayPinnedAt: path).contains(program) { try? BPFFileSystem.unpin(path) }
        }
    }
}

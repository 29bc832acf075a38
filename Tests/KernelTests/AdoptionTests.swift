// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Netlink
import Packets
import TestSupport
import Testing

@testable import XDP

/// Programs that others attached, as members, and given back. Needs root.
@Suite("Adoption of every variant")
struct AdoptionTests {
    @Test(
        "whatever it was loaded for and however it was attached, it is a member, and given back as it was",
        arguments: ForeignVariant.all)
    func variants(_ variant: ForeignVariant) throws {
        try Self.goThrough(variant, member: "pass")
    }

    @Test(
        "the same with programs for packets of several buffers",
        .enabled(if: KernelFeatures.hasFrags(), "this kernel has no packets of several buffers"),
        arguments: ForeignVariant.all)
    func frags(_ variant: ForeignVariant) throws {
        var variant = variant
        variant.supportsFrags = true
        try Self.goThrough(variant, member: "frags")
    }

    private static func goThrough(_ variant: ForeignVariant, member: String) throws {
        let bench = try ChainBench()
        let stranger = try Stranger(bench, variant)
        let before = try bench.hook()
        #expect(before.program == stranger.id && (before.link != nil) == variant.byLink)
        let packets = (0..<8).map { Packet.ethernet(to: .init([2, 0, 0, 0, 0, UInt8($0)])).padded(to: 60) }

        let report = try bench.adopt()

        #expect(report.outcome == .adopted && report.mode == variant.mode)
        let chain = try bench.chain()
        #expect(chain.linkID == before.link && chain.mode == variant.mode)
        #expect(chain.manifest.supportsFrags == variant.supportsFrags)
        let adopted = try chain.member("foreign")
        #expect(adopted.separate?.programID == stranger.id && adopted.adopted?.linkID == before.link)
        #expect(adopted.composition.mode == .adopted)
        try bench.send(packets)
        let alone = try bench.counters(seeing: 8)["foreign"]
        for verdict in Verdict.allCases { #expect(alone?[verdict].packets == 1, "\(verdict)") }
        #expect(alone?.unknown.packets == 3 && alone?.missed.packets == 0)

        try bench.load(member, as: "behind", at: .last)
        try bench.load(member, as: "front", at: .first)
        try bench.edit { editor throws(XDPError) in
            try editor.setEdges("foreign", [.drop: .member("behind")])
        }
        try bench.send(packets)
        let counters = try bench.counters(seeing: 8)
        #expect(counters["front"]?[.pass].packets == 8)
        #expect(counters["foreign"]?[.drop].packets == 2 && counters["foreign"]?.total.packets == 16)
        #expect(counters["behind"]?.total.packets == 2)

        let refusal = bench.failure { try bench.release() }
        #expect(refusal?.kind == .refused && refusal?.why.contains("front, behind") == true)
        #expect(try bench.memberNames() == ["front", "foreign", "behind"])

        let released = try bench.release(unloadingOthers: true)
        #expect(released.outcome == .released)
        #expect(try bench.hook() == before)
        let again = try bench.adopt()
        #expect(again.outcome == .adopted)
        try bench.release()
        #expect(try bench.hook() == before)
        if let link = before.link { try? BPFFileSystem.unpin("\(BPFPins.directory)/link-\(link)") }
    }

    @Test("a packet that the program redirects arrives, and one that it transmits comes back")
    func verdictsComeThrough() throws {
        let bench = try ChainBench(withTAP: true)
        let tap = try bench.namespace.run { try Interface(named: "tap").index }
        let packet = Packet.ethernet().ipv4().udp().padded(to: 60)
        let redirect = try Stranger(
            bench, [.move(.r1, Int32(tap)), .move(.r2, 0), .call(helper: 23), .exit])
        let transmit = try Stranger(bench, on: tap, [.move(.r0, 3), .exit])
        _ = try (bench.adopt("near"), bench.adopt("tap"))
        _ = try bench.tap?.readAll()

        try bench.tap?.write(packet)
        let back = try bench.tap?.readAll()
        // The interface lets redirected packets through once it has a program of its own, as it has here.
        try bench.send([packet])
        let arrived = try bench.tap?.read(within: .seconds(2))

        #expect(back == [packet.bytes])
        #expect(arrived == packet.bytes)
        #expect(try bench.counters(seeing: 1)["foreign"]?[.redirect].packets == 1)
        withExtendedLifetime((redirect, transmit)) {}
    }

    @Test("nothing said, the member has the program's name, or its number where that cannot be one")
    func names() throws {
        for (name, isGood) in [("lb_main", true), ("next", false), ("", false)] {
            let bench = try ChainBench()
            let stranger = try Stranger(bench, name: name)

            _ = try bench.adopt(as: nil)

            #expect(try bench.memberNames() == [isGood ? name : "program-\(stranger.id)"])
        }
    }

    @Test(
        "the last member that is unloaded takes the chain with it, adopted or not", arguments: [true, false])
    func unload(_ byLink: Bool) throws {
        let bench = try ChainBench()
        let stranger = try Stranger(bench, ForeignVariant(byLink: byLink))
        _ = try bench.adopt()
        try bench.load("drop", as: "drop")

        try bench.edit { editor throws(XDPError) in try editor.unload(["foreign"]) }
        #expect(try bench.memberNames() == ["drop"])
        try bench.edit { editor throws(XDPError) in try editor.unload(["drop"]) }

        #expect(try bench.hook() == Hook())
        #expect(stranger.id > 0)
    }

    @Test("an adopted member is neither replaced, nor are others released")
    func refusals() throws {
        let bench = try ChainBench()
        let stranger = try Stranger(bench)
        _ = try bench.adopt()
        try bench.load("pass")
        let path = try Fixture.path("drop")

        let replace = bench.failure {
            try bench.edit { editor throws(XDPError) in
                try editor.replace("foreign", with: LoadRequest(path: path))
            }
        }
        let release = bench.failure { try bench.release("near", "pass") }
        let missing = bench.failure { try bench.release("near", "nobody") }

        #expect(replace?.kind == .refused && release?.kind == .refused && missing?.kind == .refused)
        #expect(try bench.memberNames() == ["foreign", "pass"])
        withExtendedLifetime(stranger) {}
    }
}

extension Stranger {
    /// The same with instructions in place of a variant.
    convenience init(_ bench: ChainBench, on index: UInt32? = nil, _ instructions: [Instruction]) throws {
        try self.init(bench, ForeignVariant(), on: index, instructions)
    }
}

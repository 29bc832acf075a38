// SPDX-License-Identifier: Apache-2.0
import Netlink
import SystemPackage
import TestSupport
import Testing
import XDP

/// What real drivers say of themselves, held against what they do, through cards that QEMU emulates. Needs root, and
/// the cards of `Scripts/test-kernels`.
@Suite("Features of real drivers through emulated cards", .serialized)
struct EmulatedFeatureTests {
    /// A bench on two cards, which keep their MTU from test to test.
    private static func bench(_ cards: EmulatedCards) throws -> ChainBench {
        try cards.check()
        let bench = try ChainBench(cards: cards)
        var route = try RouteSocket(in: bench.namespace)
        for index in [bench.index, bench.far] { try route.setMTU(1500, of: index) }
        return bench
    }

    private static func probe(_ bench: ChainBench) throws -> InterfaceFeatures {
        try bench.namespace.run { try InterfaceFeatures.probe(Interface(named: "near")) }
    }

    /// For whoever reads the log.
    private static func describe(_ cards: EmulatedCards, _ features: InterfaceFeatures) -> String {
        let words = InterfaceFeatures.names.map { "\($0) \(features.support(of: $0)?.word ?? "-")" }
        let rules = features.obstacles.map { "\($0.rule) (\($0.evidence.joined(separator: "; ")))" }
        return
            "\(cards.rawValue): \(words.joined(separator: ", ")); \(features.queues?.words ?? "no queues"); "
            + "offloads \(features.offloads); obstacles \(rules)"
    }

    @Test("what a card says is what a real attachment shows", arguments: EmulatedCards.allCases)
    func native(_ cards: EmulatedCards) throws {
        let bench = try Self.bench(cards)

        let said = try bench.features()
        let refusal = try bench.nativeRefusal(of: bench.index)
        let probed = try Self.probe(bench)
        let command = try bench.xdpctl("features", "near", "--probe", "--json")
        print("features: \(Self.describe(cards, said))")

        #expect(said.driver?.name == cards.driver)
        #expect(cards.isNative == (refusal == nil))
        #expect(probed.native == (refusal == nil ? .supported : .unsupported))
        #expect(command.status == 0, "\(command)")
        if try NetdevSocket.whereKnown() != nil {
            #expect(said.native == probed.native)
            #expect(cards.isNative == (said.features[.redirect] == .supported))
        } else {
            #expect(said.native.reason == "this kernel does not tell what drivers can do (Linux 6.3)")
        }
        if !cards.isNative {
            #expect(
                probed.singleBuffer.kernelMessage?.contains("does not support XDP in native mode") == true)
            #expect(probed.obstacles.isEmpty)
        }
    }

    @Test(
        "with a large MTU a probe says of programs with and without frags what real attachments show",
        arguments: EmulatedCards.allCases.filter(\.isNative))
    func largeMTU(_ cards: EmulatedCards) throws {
        let bench = try Self.bench(cards)
        var route = try RouteSocket(in: bench.namespace)
        try route.setMTU(3800, of: bench.index)
        defer { try? route.setMTU(1500, of: bench.index) }
        let knowsFrags = try KernelNeed.missing(for: "frags") == nil

        let refusals = (
            without: try bench.nativeRefusal(of: bench.index),
            with: knowsFrags ? try bench.nativeRefusal(of: bench.index, frags: true) : .notSupported
        )
        let probed = try Self.probe(bench)
        print("features: MTU 3800: \(refusals), \(probed.singleBuffer), \(Self.describe(cards, probed))")

        #expect(probed.singleBuffer.atPresentMTU == (refusals.without == nil ? .supported : .unsupported))
        if refusals.without != nil {
            #expect(probed.singleBuffer.kernelMessage != nil)
            #expect(probed.obstacles.contains { ["mtu", "refused"].contains($0.rule) }, "\(probed)")
        }
        if refusals.without == nil || refusals.with == nil { #expect(probed.native == .supported) }
    }

    @Test(
        "packets can be redirected to a card as it says, with and without a program of its own",
        arguments: EmulatedCards.allCases.filter(\.isNative))
    func redirection(_ cards: EmulatedCards) throws {
        let bench = try Self.bench(cards)
        try bench.listenToEverything()
        let tap = try bench.namespace.run { try TAPDevice(name: "tap") }

        func check(_ state: String) throws {
            let said = try bench.features().features[.transmit]
            let arrives = try bench.arrives(
                redirectedTo: bench.index, at: bench.far, of: bench.namespace, from: tap.index
            ) { try tap.write($0) }
            print("features: \(cards.rawValue) \(state): ndo-xmit \(said?.word ?? "-"), arrives \(arrives)")
            if said == .supported { #expect(arrives, "\(state)") }
            if said == .unsupported { #expect(!arrives, "\(state)") }
        }
        try check("without a program")
        let program = try bench.run(on: bench.index)
        // The card may have reset itself, and its link comes back a moment later.
        var route = try RouteSocket(in: bench.namespace)
        let isReady = try eventually(within: 20) { try route.link(index: bench.index).isRunning }
        try check("with a program")
        withExtendedLifetime(program) {}

        #expect(isReady)
    }
}

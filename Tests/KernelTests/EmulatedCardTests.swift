// SPDX-License-Identifier: Apache-2.0
import Foundation
import Netlink
import Packets
import Synchronization
import TestSupport
import Testing
import XDP

/// Real drivers, through cards that QEMU emulates. Needs root, and the cards of `Scripts/test-kernels`.
@Suite("Real drivers through emulated cards", .serialized)
struct EmulatedCardTests {
    /// A bench on two cards. A card keeps what is not for it to itself, so both listen to everything.
    private static func bench(_ cards: EmulatedCards) throws -> ChainBench {
        try cards.check()
        let bench = try ChainBench(cards: cards)
        try bench.listenToEverything()
        return bench
    }

    /// As many packets for each verdict, in turn, and a few of them at a time, since the ring of a card is small.
    private static func send(_ count: Int, of verdicts: [Verdict], _ bench: ChainBench) throws {
        for _ in 0..<count { try bench.send(verdicts.map { ChainBench.packet(for: $0) }) }
    }

    @Test(
        "in native mode a chain decides about what comes over the wire: pass, drop, and back to the sender",
        arguments: EmulatedCards.allCases.filter(\.isNative))
    func verdicts(_ cards: EmulatedCards) throws {
        let bench = try Self.bench(cards)

        let report = try bench.loadAll("counters", "choose", mode: .native)
        let returned = try bench.countReturned(20) {
            try Self.send(20, of: [.pass, .drop, .tx], bench)
            return try bench.counters(seeing: 60)
        }
        let counters = returned.result

        #expect(report.mode == .native && !report.fellBack)
        #expect(try bench.namespace.run { try Interface(named: "near").link.xdp?.mode } == .native)
        #expect(counters["counters"]?[.pass].packets == 60)
        for verdict in [Verdict.pass, .drop, .tx] {
            #expect(counters["choose"]?[verdict] == Counter(packets: 20, bytes: 20 * 60), "\(verdict)")
        }
        #expect(returned.count == 20)
        #expect(returned.passed == 20)
    }

    @Test(
        "under traffic members come and go in native mode, and no packet escapes the chain",
        arguments: EmulatedCards.allCases.filter(\.isNative))
    func changes(_ cards: EmulatedCards) throws {
        let bench = try Self.bench(cards)
        // Whatever gets past the last member would be seen by the stack.
        try bench.loadAll("counters", "drop", mode: .native)
        let isOver = Atomic(false)
        let sent = Atomic(0)
        let sender = Thread {
            while !isOver.load(ordering: .acquiring) {
                if (try? bench.send([ChainBench.packet(for: .pass)])) != nil {
                    sent.add(1, ordering: .relaxed)
                }
                usleep(2000)
            }
            sent.add(1 << 40, ordering: .releasing)
        }

        let escaped = try bench.countPassed {
            sender.start()
            for round in 0..<10 {
                try bench.load("pass", as: "guest\(round)", at: .first)
                usleep(20_000)
                try bench.edit { editor throws(XDPError) in try editor.unload(["guest\(round)"]) }
            }
            isOver.store(true, ordering: .releasing)
            #expect(eventually { sent.load(ordering: .acquiring) >= 1 << 40 })
            _ = try bench.counters(seeing: UInt64(sent.load(ordering: .relaxed) - 1 << 40))
        }
        let counters = try bench.counters(seeing: 1)
        let seen = try #require(counters["counters"]?[.pass].packets)

        #expect(escaped == 0)
        #expect(seen > 50)
        #expect(counters["drop"]?[.drop].packets == seen)
        // Putting a program where none was may reset the card; an exchange must not lose a packet.
        #expect(seen == UInt64(sent.load(ordering: .relaxed) - 1 << 40))
        #expect(try bench.chain().manifest.generation == 21)
    }

    @Test(
        "without a native mode it is refused in the kernel's words; generic works, and auto says that it is that",
        arguments: EmulatedCards.allCases.filter { !$0.isNative })
    func withoutNative(_ cards: EmulatedCards) throws {
        let bench = try Self.bench(cards)

        let error = bench.failure { try bench.loadAll("choose", mode: .native) }
        let isEmpty = if case .none = try bench.occupant() { true } else { false }
        let command = try bench.xdpctl("load", "near", Fixture.path("choose"))
        let report = try bench.loadAll("choose", mode: .auto)
        let status = try bench.xdpctl("status", "near")
        try Self.send(20, of: [.pass, .drop], bench)
        let counters = try bench.counters(seeing: 40)

        #expect(error?.kind == .refused && isEmpty)
        #expect(
            error?.why.contains("Underlying driver does not support XDP in native mode") == true,
            "\(error.debugText)")
        #expect(error?.remedy?.contains("has no native mode") == true, "\(error.debugText)")
        #expect(error?.remedy?.contains("--mode generic") == true)
        #expect(command.status == 3, "\(command)")
        #expect(report.mode == .generic && report.fellBack)
        #expect(status.output.contains("generic mode (the driver has no native mode)"), "\(status)")
        #expect(counters["choose"]?[.pass].packets == 20 && counters["choose"]?[.drop].packets == 20)
    }

    @Test("with --mode generic a chain works on every card", arguments: EmulatedCards.allCases)
    func generic(_ cards: EmulatedCards) throws {
        let bench = try Self.bench(cards)

        let report = try bench.loadAll("choose", mode: .generic)
        try Self.send(20, of: [.pass, .drop], bench)
        let counters = try bench.counters(seeing: 40)

        #expect(report.mode == .generic && !report.fellBack)
        #expect(counters["choose"]?[.pass].packets == 20 && counters["choose"]?[.drop].packets == 20)
    }
}

extension ChainBench {
    /// Takes frames for all addresses in.
    func listenToEverything() throws {
        for name in ["near", "far"] {
            let result = try Subprocess.run(
                "nsenter", ["--net=\(path)", "ip", "link", "set", "dev", name, "promisc", "on"])
            try #require(result.status == 0, "\(result)")
        }
        // A card may tell of its wire some time after it was set up.
        let isReady = try eventually(within: 20) {
            var route = try RouteSocket(in: namespace)
            return try route.link(index: index).isRunning && route.link(index: far).isRunning
        }
        try #require(isReady, "the cards have no link")
    }

    /// Hears what comes to one of the cards from now on.
    fileprivate func listener(on interface: UInt32) throws -> Listener {
        try namespace.run { Listener(try PacketSocket(interface: interface, role: .receiver)) }
    }

    /// Test packets that reach the stack of `near` while something is done.
    fileprivate func countPassed(_ body: () throws -> Void) throws -> Int {
        let stack = try listener(on: index)
        try body()
        return try stack.count(within: .milliseconds(300))
    }

    /// Does something, and counts the test packets that come back to `far`, and those that pass to `near`.
    fileprivate func countReturned<Result>(
        _ expected: Int, _ body: () throws -> Result
    ) throws -> (result: Result, count: Int, passed: Int) {
        let sender = try listener(on: far)
        let stack = try listener(on: index)
        let result = try body()
        let count = try sender.count(expected, within: .seconds(5))
        // One too many would come now.
        let more = try sender.count(within: .milliseconds(100))
        return (result, count + more, try stack.count(within: .milliseconds(100)))
    }
}

/// Counts test packets, those to 02:00:00:00:00:NN as `packet(for:)` makes them.
private final class Listener: Sendable {
    private let socket: Mutex<PacketSocket>

    init(_ socket: consuming sending PacketSocket) {
        self.socket = Mutex(socket)
    }

    func count(_ expected: Int = .max, within timeout: Duration) throws -> Int {
        try socket.withLock { socket in
            try socket.count(expected, within: timeout) { bytes in
                bytes.count >= 6 && bytes.prefix(5).elementsEqual([2, 0, 0, 0, 0])
            }
        }
    }
}

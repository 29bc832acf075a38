// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

@testable import Filter

/// Sets that many change at once, that are large, and whose networks cover each other. Needs root.
@Suite("Sets of filters under change")
struct FilterSetChangeTests {
    private typealias Bench = FilterSetMapTests

    /// What a program would find for an address: the entry that counts.
    private static func isFound(_ store: SetStore, _ address: String) throws -> Bool {
        try store.contains(Bench.contents(Bench.declaration(.prefix, timeouts: true), [address]))
    }

    @Test("a short-lived network does not hide a longer-lived one that covers it")
    func covering() throws {
        let declaration = Bench.declaration(.prefix, timeouts: true)
        let store = try Bench.store(declaration, ["10.0.0.0/8"], page: Bench.page())
        _ = try store.add(Bench.contents(declaration, ["10.1.0.0/16 timeout 1s", "10.1.2.3 timeout 1s"]))
        _ = try store.add(Bench.contents(declaration, ["192.0.2.7 timeout 1s"]))
        // One that comes later and covers what is there.
        _ = try store.add(Bench.contents(declaration, ["192.0.2.0/24"]))
        // And one that goes.
        _ = try store.add(
            Bench.contents(
                declaration, ["198.51.100.0/24", "198.51.100.8/29 timeout 1s", "198.51.100.9 timeout 1s"]))
        _ = try store.delete(Bench.contents(declaration, ["198.51.100.0/24"]))
        #expect(try Self.isFound(store, "198.51.100.9"))
        usleep(1_100_000)
        for address in ["10.1.2.3", "10.1.2.4", "10.2.0.1", "192.0.2.7", "192.0.2.8"] {
            #expect(try Self.isFound(store, address), "\(address)")
        }
        for address in ["198.51.100.9", "198.51.100.8", "198.51.100.1", "11.0.0.1"] {
            #expect(try !Self.isFound(store, address), "\(address)")
        }
        #expect(try store.removeExpired() == 5)
        #expect(try Bench.texts(store) == ["10.0.0.0/8", "192.0.2.0/24"])
    }

    @Test("after any row of changes the trie says what a model says", arguments: [1, 2, 3])
    func randomChanges(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let declaration = Bench.declaration(.prefix, timeouts: true)
        let store = try Bench.store(declaration, page: Bench.page())
        let part = store.parts[0]
        var model: [String: UInt64] = [:]
        for _ in 0..<150 {
            var lines: [String] = []
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let length = [0, 8, 9, 16, 24, 31, 32, 32].randomElement(using: &generator) ?? 8
                let bytes = (0..<4).map { _ in UInt8.random(in: 0...1, using: &generator) }
                let address = IPPrefix(.init(bytes[0], bytes[1], bytes[2], bytes[3]), length: length)
                guard let address else { continue }
                lines.append(address.description)
            }
            if Int.random(in: 0...2, using: &generator) == 0 {
                _ = try store.delete(Bench.contents(declaration, lines))
                for line in lines { model[line] = nil }
            } else {
                let life = UInt64.random(in: 0...5, using: &generator) * 1000
                _ = try store.add(
                    Bench.contents(declaration, lines.map { life == 0 ? $0 : "\($0) timeout \(life)s" }))
                for line in lines { model[line] = life == 0 ? .max : life }
            }
            var found: [String: UInt64] = [:]
            let now = MonotonicTime.now()
            try part.forEach { key, _, counting in
                let bytes = UnsafeRawBufferPointer(start: key, count: 8)
                guard
                    case .prefix(let prefix)? = store.layout.components(
                        of: bytes, in: .ipv4, interfaceName: { _ in nil })?.first
                else { return }
                let end = SetLayout.Entry(rawValue: counting).end
                found[prefix.description] =
                    end.map { ($0 - now + 500_000_000_000) / 1_000_000_000_000 * 1000 } ?? .max
            }
            var expected: [String: UInt64] = [:]
            for name in model.keys {
                guard let inner = Self.prefix(name) else { continue }
                let lives = model.compactMap { outer, life in
                    Self.prefix(outer).map { $0.length <= inner.length && $0.contains(inner.address) } == true
                        ? life : nil
                }
                expected[name] = lives.max()
            }
            #expect(found == expected)
            if found != expected { return }
        }
    }

    private static func prefix(_ text: String) -> IPPrefix? {
        let halves = text.split(separator: "/")
        return IPAddress(parsing: String(halves[0])).flatMap {
            IPPrefix($0, length: halves.count > 1 ? Int(halves[1]) ?? 0 : 32)
        }
    }

    @Test("what several add at once is all there afterwards", arguments: [false, true])
    func concurrentAdders(isPrefix: Bool) async throws {
        let declaration = Bench.declaration(isPrefix ? .prefix : .address, timeouts: true)
        let page = try Bench.page()
        let store = try Bench.store(declaration, page: page)
        await withTaskGroup(of: Void.self) { group in
            for adder in 0..<4 {
                group.addTask {
                    for round in 0..<25 {
                        // Networks that cover those of others, too.
                        let line =
                            isPrefix ? "10.\(round).\(adder).0/\(8 + adder * 8)" : "10.\(round).\(adder).1"
                        do {
                            _ = try store.add(
                                Bench.contents(declaration, [line, "192.0.2.\(adder * 25 + round)"]))
                            if round % 5 == 0 {
                                let extra = try Bench.contents(declaration, ["203.0.113.\(adder)"])
                                _ = try store.add(extra)
                                _ = try store.delete(extra)
                            }
                        } catch {
                            Issue.record(error)
                        }
                    }
                }
            }
        }
        // All the networks 10.x.0.0/8 are one.
        #expect(try store.list().count == (isPrefix ? 176 : 200))
        #expect(page[0])
    }

    @Test("a turn that its holder left ends by itself, and its holder hears of it")
    func turns() throws {
        let page = try Bench.page()
        let left = try page.takeTurn(length: 200)
        let start = MonotonicTime.now()
        let next = try page.takeTurn()
        #expect(MonotonicTime.now() - start > 150_000_000)
        #expect(!left.renew())
        left.end()
        #expect(next.renew())
        let error = #expect(throws: XDPError.self) { try page.takeTurn(patience: 50) }
        #expect(error?.why.contains("another process") == true)
        next.end()
        try page.takeTurn(patience: 50).end()
    }

    @Test("where there are no batches everything works one by one")
    func withoutBatches() throws {
        // Other tests go on meanwhile.
        let thread = pthread_self()
        KernelDoor.intercept(with: { call in
            guard pthread_self() == thread else { return nil }
            return switch call {
            case .bpf(.mapUpdateBatch), .bpf(.mapDeleteBatch), .bpf(.mapLookupBatch): .init(rawValue: 524)
            default: nil
            }
        })
        defer { KernelDoor.intercept(with: nil) }
        for kind in [SetDeclaration.Kind.address, .prefix] {
            let declaration = Bench.declaration(kind, timeouts: true)
            let lines = (0..<700).map { "10.0.\($0 / 250).\($0 % 250)" }
            let store = try Bench.store(declaration, lines, page: Bench.page())
            #expect(try store.list().count == 700)
            let change = try store.delete(Bench.contents(declaration, ["10.0.0.1", "10.9.9.9", "10.0.0.2"]))
            #expect(change.changed == 2)
            #expect(
                change.missing.map(\.components) == [
                    kind == .address
                        ? [.address(.init(10, 9, 9, 9))] : [.prefix(IPPrefix(.init(10, 9, 9, 9)))]
                ])
            #expect(try store.flush().changed == 698)
        }
    }

    @Test("a million addresses go in and come out, in no more memory than they need")
    func million() throws {
        let declaration = Bench.declaration(.address)
        var contents = SetContents(SetLayout(declaration))
        for number in UInt32(0)..<1_000_000 {
            withUnsafeBytes(of: (number &* 2_654_435_761).bigEndian) {
                if let key = $0.baseAddress { contents.insert(key, part: 0, life: 0) }
            }
        }
        let store = try SetStore.make(declaration, contents: contents)
        #expect(try store.list().count == 1_000_000)
        #expect(try store.contains(contents))
        if let memory = store.memory { #expect(memory < 160 << 20) }
        #expect(try store.flush().changed == 1_000_000)
    }
}

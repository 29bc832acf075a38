// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import XDP

@testable import Filter

@Suite("A filter's record")
struct FilterRecordTests {
    static var example: FilterRecord {
        var record = FilterRecord(
            text: "rules {\n  drop udp dport 53\n  default pass\n}\n", path: "/etc/xdpctl/edge.xdp")
        record.time = 1_800_000_000
        record.ruleCount = 1
        record.sets = ["blocklist": [UInt8](repeating: 7, count: 32), "admins": []]
        record.counters = [
            .init(
                identity: .rule(group: nil, text: "drop udp dport 53", occurrence: 0),
                place: CounterPlace(number: 0), baseline: Counter(packets: 3, bytes: 180)),
            .init(
                identity: .rule(group: "web", text: "drop tcp", occurrence: 2),
                place: CounterPlace(number: 700)),
            .init(identity: .counter("blocked"), place: CounterPlace(number: 5)),
            .init(identity: .policy(.pass), place: CounterPlace(number: 64)),
        ]
        record.statePlaces = [.init(set: "blocklist", part: .ipv4): 0, .init(set: "admins", part: .keys): 9]
        record.maps = [
            .constant, .lookup, .set("blocklist", .ipv6), .counters(page: 3), .state, .log, .buckets,
            .devices(["veth0", "eth1"]), .record,
        ]
        record.code = [UInt8](repeating: 9, count: 32)
        return record
    }

    @Test("what was written is read back")
    func roundTrip() throws {
        let record = Self.example

        #expect(try FilterRecord(decoding: record.encoded()) == record)
        #expect(try FilterRecord(decoding: record.encoded() + [0, 0, 0]) == record)
    }

    @Test("a record that was cut short anywhere is not taken")
    func cutShort() {
        let bytes = Self.example.encoded()
        for count in 0..<bytes.count {
            #expect(throws: Manifest.Unreadable.self) { try FilterRecord(decoding: Array(bytes[..<count])) }
        }
    }

    @Test("a changed byte is found")
    func changed() {
        let bytes = Self.example.encoded()
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= 0x55
            #expect(throws: Manifest.Unreadable.self) { try FilterRecord(decoding: damaged) }
        }
    }

    @Test("hostile bodies are refused or read, and never trap")
    func hostile() {
        var random = SeededGenerator(seed: 11)
        let bytes = FilterRecordTests.example.encoded()
        let body = Array(bytes[24...])
        for _ in 0..<20_000 {
            var hostile = body
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                hostile[Int.random(in: hostile.indices, using: &random)] = .random(
                    in: 0...255, using: &random)
            }
            if let record = try? FilterRecord(body: hostile, in: 0..<hostile.count) {
                _ = record.encoded()
            }
        }
    }

    @Test("a newer format is named")
    func newer() {
        var bytes = Self.example.encoded()
        bytes[8] = 2

        #expect(throws: Manifest.Unreadable.newer(2)) { try FilterRecord(decoding: bytes) }
    }
}

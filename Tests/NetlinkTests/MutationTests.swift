// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Netlink

/// Good messages with seeded damage: whatever arrives, reading ends, stays inside and does not crash.
@Suite("Damaged messages")
struct MutationTests {
    @Test("20 000 damaged datagrams are read to their end", arguments: 0..<4)
    func damaged(_ seed: UInt64) {
        var random = SplitMix(state: seed)
        let originals =
            [
                LinkTests.veth, GenericFamilyTests.netdev, NetdevTests.veth, EthtoolTests.features,
            ].flatMap { payload in
                [16, 17, 2, 3].map { datagram(type: $0, payload) }
            } + [datagram(type: 20, AnswerTests.socket), datagram(type: 24, AnswerTests.route)]
        var attributes = 0

        for _ in 0..<5_000 {
            var bytes = originals[Int.random(in: 0..<originals.count, using: &random)]
            damage(&bytes, &random)
            attributes += read(bytes)
        }

        #expect(attributes > 0)
    }

    /// Two messages, so that damage to the first moves the second.
    private func datagram(type: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let message =
            [UInt8(truncatingIfNeeded: payload.count + 16), UInt8((payload.count + 16) >> 8), 0, 0]
            + [type, 0, 0, 3, 1, 0, 0, 0, 1, 0, 0, 0] + payload
        return message + message
    }

    private func damage(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        let edges: [UInt8] = [0, 1, 3, 4, 5, 0x7F, 0x80, 0xFF]
        for _ in 0..<Int.random(in: 1...8, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] = edges[Int.random(in: 0..<edges.count, using: &random)]
            case 2: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 3: bytes.removeSubrange(place..<min(place + 5, bytes.count))
            case 4: bytes.insert(contentsOf: [0, 0, 0, 0], at: place)
            default: bytes.removeLast(Int.random(in: 0...min(8, bytes.count), using: &random))
            }
        }
    }

    /// Reads everything that can be read; returns how many attributes there were.
    private func read(_ bytes: [UInt8]) -> Int {
        // Also as a payload, since damage to the outer header hides everything else.
        var messages = (try? NetlinkMessage.messages(in: bytes[...])) ?? []
        for type in [2, 3, 16, 17, 20, 24] {
            messages.append(
                NetlinkMessage(
                    type: type, flags: 0x300, sequence: 1, port: 1, payload: Array(bytes.dropFirst(16))))
        }
        var count = 0
        for message in messages {
            _ = Acknowledgement(message)
            _ = LinkEvent(message)?.link.subject
            _ = (XDPSocketInformation(message), Route(message), LinkStatistics(message.payload[...]))
            _ = QueueStatistics(message.attributes(after: 4), of: 3)
            if let message = GenericMessage(message) {
                _ = GenericFamily(message.attributes)
                _ = NetdevEvent(message)?.device
                _ = Offloads(message.attributes).active.count
                _ = (Channels(message.attributes), Rings(message.attributes))
            }
            _ = RouteSocket.namespaceID(in: [message])
            for offset in [0, 4, 16, 20] { count += walk(message.attributes(after: offset), depth: 4) }
            var collector = ReplyCollector(sequence: 1, port: 1)
            _ = try? collector.take(message)
        }
        return count
    }

    private func walk(_ attributes: Attributes, depth: Int) -> Int {
        var count = 0
        var size = 0
        for attribute in attributes {
            count += 1
            size += attribute.value.count + 4
            _ = (attribute.uint8, attribute.uint16, attribute.uint32, attribute.uint64, attribute.uint)
            _ = attribute.string
            if depth > 0 { count += walk(attribute.nested, depth: depth - 1) }
        }
        #expect(size <= attributes.bytes.count)
        return count
    }
}

/// Sebastiano Vigna's SplitMix64: the same numbers from the same seed, everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

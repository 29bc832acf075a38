// SPDX-License-Identifier: Apache-2.0
import Netlink
import Testing

/// Counters as the kernel writes them.
@Suite("Counters of netlink")
struct StatisticsTests {
    private static func bytes(_ values: [UInt64]) -> [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: value) { Array($0) } }
    }

    @Test("counters of the stack are read by name, as many as the kernel gives")
    func link() {
        let all = LinkStatistics(Self.bytes((1...30).map { $0 })[...])
        #expect(all.values.count == 25 && all["rx_packets"] == 1 && all["rx_dropped"] == 7)
        #expect(all["rx_otherhost_dropped"] == 25 && all["no such"] == nil)

        let older = LinkStatistics(Self.bytes((1...24).map { $0 })[...] + [1, 2, 3])
        #expect(
            older.values.count == 24 && older["rx_nohandler"] == 24 && older["rx_otherhost_dropped"] == nil)
        #expect(LinkStatistics([]).values.isEmpty)
    }

    @Test("a queue's counters are read by the specification's names, of 4 and of 8 bytes")
    func queue() throws {
        func message(_ index: UInt32, type: UInt32 = 0) -> Attributes {
            var builder = MessageBuilder(type: 0)
            builder.attribute(1, uint32: index)
            builder.attribute(2, uint32: type)
            builder.attribute(3, uint32: 5)
            builder.attribute(8, uint32: 100)
            builder.attribute(9, uint64: 1 << 40)
            builder.attribute(34, uint32: 3)
            builder.attribute(35, uint32: 9)
            let encoded = (try? builder.encoded()) ?? []
            return Attributes(encoded.dropFirst(16))
        }
        let queue = try #require(QueueStatistics(message(4), of: 4))
        #expect(queue.queue == 5 && queue.direction == .receive)
        #expect(queue.values.map(\.name) == ["rx-packets", "rx-bytes", "tx-wake"])
        #expect(queue.values.map(\.value) == [100, 1 << 40, 3])
        #expect(QueueStatistics(message(4), of: 7) == nil, "another interface")
        #expect(QueueStatistics(message(4, type: 2), of: 4) == nil, "no direction")
        #expect(QueueStatistics(Attributes([]), of: 4) == nil)
    }
}

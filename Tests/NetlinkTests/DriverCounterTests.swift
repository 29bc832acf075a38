// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Netlink

/// What ethtool's ioctl leaves in memory, as a kernel writes it and as none should.
@Suite("Reading what a driver counts")
struct DriverCounterTests {
    /// ETHTOOL_GSTRINGS with so many names, in memory that has room for `room` of them.
    private static func strings(_ names: [[UInt8]], count: UInt32? = nil, room: Int? = nil) -> [UInt8] {
        var bytes: [UInt8] = hex("1b 00 00 00  01 00 00 00") + word(count ?? UInt32(names.count))
        for name in names { bytes += name + [UInt8](repeating: 0, count: 32 - name.count) }
        let rest = (room ?? names.count) * 32 + 12 - bytes.count
        return bytes + [UInt8](repeating: 0xee, count: max(rest, 0))
    }

    /// ETHTOOL_GSTATS.
    private static func statistics(_ values: [UInt64], count: UInt32? = nil) -> [UInt8] {
        hex("1d 00 00 00") + word(count ?? UInt32(values.count))
            + values.flatMap { withUnsafeBytes(of: $0, Array.init) }
    }

    /// ETHTOOL_GSSET_INFO.
    private static func information(mask: UInt64, count: UInt32) -> [UInt8] {
        hex("37 00 00 00  00 00 00 00") + withUnsafeBytes(of: mask, Array.init) + word(count)
    }

    private static func word(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value, Array.init) }

    private static func read<T>(_ bytes: [UInt8], _ body: (borrowing DriverCounterAnswer) -> T) -> T {
        bytes.withUnsafeBytes { body(DriverCounterAnswer($0)) }
    }

    private static let name = Array("rx_queue_0_xdp_packets".utf8)
    private static let full = Array("abcdefghijklmnopqrstuvwxyz012345".utf8)

    @Test("names end at their NUL, or after 32 bytes; what follows the last one is not looked at")
    func names() {
        let bytes = Self.strings([Self.name, Self.full, [], [0x72, 0xff, 0x78]], room: 9)

        let names = Self.read(bytes) { $0.names }

        #expect(
            names == [
                "rx_queue_0_xdp_packets", "abcdefghijklmnopqrstuvwxyz012345", "", "r\u{fffd}x",
            ])
    }

    @Test("values are those that were counted, up to the largest")
    func values() {
        let bytes = Self.statistics([0, 7, 1 << 63, .max])
        #expect(Self.read(bytes) { $0.values(count: 4) } == [0, 7, 1 << 63, .max])
    }

    @Test("a driver that counts more or less than when its names were read gives no values under wrong names")
    func grown() {
        let bytes = Self.statistics([1, 2, 3])
        #expect(Self.read(bytes) { $0.values(count: 2) } == nil)
        #expect(Self.read(bytes) { $0.values(count: 4) } == nil)
        // Linux 6.19 writes none where the room is not what is needed.
        #expect(Self.read(Self.statistics([], count: 0)) { $0.values(count: 2) } == nil)
        #expect(Self.read(Self.strings([], room: 4)) { $0.names } == [])
    }

    @Test(
        "a number of counters that the memory does not hold is no answer",
        arguments: [4, 5, 128, 65_537, 0x0800_0000, UInt32(Int32.max), UInt32.max])
    func absurd(_ count: UInt32) {
        #expect(Self.read(Self.strings([Self.name, Self.full, []], count: count)) { $0.names } == nil)
        let values = Self.statistics([1, 2, 3], count: count)
        #expect(Self.read(values) { $0.values(count: Int(count)) } == nil)
        #expect(Self.read(Self.information(mask: 2, count: count)) { $0.count } == Int(count))
    }

    @Test("a driver without counters takes its bit out of the mask")
    func none() {
        #expect(Self.read(Self.information(mask: 0, count: 7)) { $0.count } == 0)
        #expect(Self.read(Self.information(mask: 2, count: 7)) { $0.count } == 7)
    }

    @Test("an answer that ends anywhere is no answer, and nothing behind it is read")
    func cut() {
        let (strings, values) = (Self.strings([Self.name, Self.full]), Self.statistics([1, 2]))
        let information = Self.information(mask: 2, count: 7)
        for length in 0..<strings.count {
            #expect(Self.read(Array(strings.prefix(length))) { $0.names } == nil, "\(length)")
        }
        for length in 0..<values.count {
            #expect(Self.read(Array(values.prefix(length))) { $0.values(count: 2) } == nil, "\(length)")
        }
        for length in 0..<information.count {
            #expect(Self.read(Array(information.prefix(length))) { $0.count } == 0, "\(length)")
        }
    }

    @Test("the memory holds the longest answer that is read")
    func room() throws {
        let memory = try GuardedMemory(byteCount: DriverCounterAnswer.size(for: DriverCounters.most))
        memory.store(UInt32(DriverCounters.most), at: 8)
        #expect(memory.answer.names?.count == DriverCounters.most)
        memory.store(UInt32(DriverCounters.most), at: 4)
        #expect(memory.answer.values(count: DriverCounters.most)?.count == DriverCounters.most)
    }
}

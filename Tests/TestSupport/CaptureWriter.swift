// SPDX-License-Identifier: Apache-2.0

/// Writes capture files byte by byte, right and wrong ones.
public struct CaptureWriter {
    public var isBigEndian: Bool
    public var bytes: [UInt8] = []

    public init(isBigEndian: Bool = false) {
        self.isBigEndian = isBigEndian
    }

    public func number(_ value: UInt64, _ count: Int) -> [UInt8] {
        let big = (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * (count - 1 - $0))) }
        return isBigEndian ? big : big.reversed()
    }

    // MARK: - pcap

    public mutating func header(isNano: Bool = false, linkType: UInt64 = 1) {
        bytes += number(isNano ? 0xa1b2_3c4d : 0xa1b2_c3d4, 4) + number(2, 2) + number(4, 2) + number(0, 8)
        bytes += number(65_535, 4) + number(linkType, 4)
    }

    public mutating func record(
        _ packet: [UInt8], length: Int? = nil, seconds: UInt64 = 0, fraction: UInt64 = 0
    ) {
        bytes += number(seconds, 4) + number(fraction, 4) + number(UInt64(packet.count), 4)
        bytes += number(UInt64(length ?? packet.count), 4) + packet
    }

    // MARK: - pcapng

    /// A block; its length may be another one than it is.
    public mutating func block(_ type: UInt64, _ body: [UInt8], length: Int? = nil) {
        let filled = body + [UInt8](repeating: 0, count: (4 - body.count % 4) % 4)
        let size = number(UInt64(length ?? filled.count + 12), 4)
        bytes += number(type, 4) + size + filled + size
    }

    public mutating func section() {
        block(0x0a0d_0d0a, number(0x1a2b_3c4d, 4) + number(1, 2) + number(0, 2) + number(.max, 8))
    }

    public mutating func interface(
        linkType: UInt64 = 1, snapLength: UInt64 = 0, name: String? = nil, resolution: UInt8? = nil,
        offset: UInt64? = nil
    ) {
        var options: [UInt8] = []
        if let name { options += option(2, Array(name.utf8)) }
        if let resolution { options += option(9, [resolution]) }
        if let offset { options += option(14, number(offset, 8)) }
        if !options.isEmpty { options += option(0, []) }
        block(1, number(linkType, 2) + [0, 0] + number(snapLength, 4) + options)
    }

    /// - Parameter options: what ``option(_:_:)`` makes, without the one that ends them.
    public mutating func packet(
        _ packet: [UInt8], interface: UInt64 = 0, time: UInt64 = 0, length: Int? = nil, queue: UInt64? = nil,
        options: [UInt8] = []
    ) {
        let filled = packet + [UInt8](repeating: 0, count: (4 - packet.count % 4) % 4)
        var options = options + (queue.map { option(6, number($0, 4)) } ?? [])
        if !options.isEmpty { options += option(0, []) }
        block(
            6,
            number(interface, 4) + number(time >> 32, 4) + number(time & 0xffff_ffff, 4)
                + number(UInt64(packet.count), 4) + number(UInt64(length ?? packet.count), 4) + filled
                + options)
    }

    /// What is known at the end of an interface: packets that came, and that were lost.
    public mutating func statistics(interface: UInt64 = 0, received: UInt64, lost: UInt64) {
        block(
            5,
            number(interface, 4) + number(0, 8) + option(4, number(received, 8)) + option(5, number(lost, 8))
                + option(0, []))
    }

    public func option(_ code: UInt64, _ value: [UInt8]) -> [UInt8] {
        let filled = value + [UInt8](repeating: 0, count: (4 - value.count % 4) % 4)
        return number(code, 2) + number(UInt64(value.count), 2) + filled
    }
}

// SPDX-License-Identifier: Apache-2.0
import Filter

/// Writes blocks of pcapng (draft-ietf-opsawg-pcapng), one behind the other, into memory, in this machine's byte order.
///
/// | Offset | Size | Content of a block |
/// |---|---|---|
/// | 0 | 4 | type |
/// | 4 | 4 | the block's length n, all of it, a multiple of 4 |
/// | 8 | n - 12 | body: fixed fields, then options |
/// | n - 4 | 4 | the length again |
///
/// An option is 2 bytes code, 2 bytes length, and the value, filled up to 4 bytes; code 0 ends them.
///
/// Section header, type 0x0a0d0d0a: the number 0x1a2b3c4d (4), version 1.0 (2 + 2), length of the section (8, -1: unknown).
/// Options: 1 comment, 2 hardware, 3 operating system, 4 application.
///
/// Interface description, type 1: link type (2), 2 unused, snap length (4). Options: 1 comment, 2 name, 3 description, 9 resolution of times (1
/// byte: 9 is nanoseconds), 11 filter (1 byte 0: as it was typed, then text), 12 operating system, 15 hardware.
///
/// Enhanced packet, type 6: interface (4), time (upper 4, lower 4), captured (4), length (4), the packet, filled up to 4 bytes. Options: 1 comment,
/// 2 flags (4 bytes; lowest bits 1: inbound, 2: outbound), 5 packet id (8 bytes), 6 queue (4 bytes), 7 verdict (1 byte 2: of an XDP
/// program, then 8 bytes: what it returned).
///
/// Interface statistics, type 5: interface (4), time (upper 4, lower 4). Options: 2 and 3 times of beginning and end (upper 4, lower 4), 4
/// packets received, 5 lost for want of room, 6 accepted by the filter, 8 given to who captured (8 bytes each).
struct BlockEncoder {
    private(set) var bytes: [UInt8] = []

    static let sectionHeader: UInt32 = 0x0a0d_0d0a
    static let interfaceDescription: UInt32 = 1
    static let interfaceStatistics: UInt32 = 5
    static let enhancedPacket: UInt32 = 6

    /// Texts are cut behind so many bytes: an option's length has 16 bits.
    static let longestText = 32_768

    /// - Parameter capacity: bytes that fit without more memory.
    init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity)
    }

    /// Forgets what was written, and keeps the memory.
    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
    }

    /// Forgets the first bytes.
    mutating func removeFirst(_ count: Int) {
        bytes.removeFirst(count)
    }

    // MARK: - Blocks

    mutating func addSection(_ origin: CaptureOrigin) {
        addBlock(Self.sectionHeader) { encoder in
            encoder.add(UInt32(0x1a2b_3c4d))
            encoder.add(UInt16(1))
            encoder.add(UInt16(0))
            encoder.add(UInt64.max)
            encoder.addText(1, origin.comment)
            encoder.addText(2, origin.hardware)
            encoder.addText(3, origin.system)
            encoder.addText(4, origin.application)
            encoder.endOptions()
        }
    }

    mutating func addInterface(_ interface: CaptureFileInterface) {
        addBlock(Self.interfaceDescription) { encoder in
            encoder.add(UInt16(1))
            encoder.add(UInt16(0))
            encoder.add(interface.snapLength)
            encoder.addText(1, interface.comment)
            encoder.addText(2, interface.name)
            encoder.addText(3, interface.description)
            encoder.addOption(9, [9])
            if let filter = interface.filter, !filter.isEmpty {
                encoder.addOption(11, [0] + Self.shortened(filter))
            }
            encoder.addText(12, interface.system)
            encoder.addText(15, interface.hardware)
            encoder.endOptions()
        }
    }

    /// Allocates nothing as long as there is capacity.
    ///
    /// What is done for every packet is done in few pieces: to append four bytes takes as long as to copy a hundred.
    mutating func addPacket(_ packet: CaptureFilePacket, comment: [UInt8], _ content: RawSpan) {
        // 52 bytes at most: all options but the comment, their end, and the block's length once more.
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 8) { tail in
            var size = 0
            func put<Number: FixedWidthInteger>(_ number: Number) {
                tail.storeBytes(of: number, toByteOffset: size, as: Number.self)
                size += MemoryLayout<Number>.size
            }
            func putHead(_ code: UInt16, _ length: UInt16) {
                put(code)
                put(length)
            }
            if let flags = packet.flags {
                putHead(2, 4)
                put(flags)
            }
            if let id = packet.packetID {
                putHead(5, 8)
                put(id)
            }
            if let queue = packet.queue {
                putHead(6, 4)
                put(queue)
            }
            if let verdict = packet.verdict {
                putHead(7, 9)
                put(UInt8(2))
                put(verdict)
                put(UInt8(0))
                put(UInt16(0))
            }
            if size > 0 || !comment.isEmpty { putHead(0, 0) }
            let captured = UInt32(content.byteCount)
            let remark = comment.isEmpty ? 0 : 4 + Self.filled(comment.count)
            let length = UInt32(28 + Self.filled(content.byteCount) + remark + size + 4)
            put(length)

            let time = packet.nanoseconds
            let head = (
                Self.enhancedPacket, length, packet.interface, UInt32(truncatingIfNeeded: time >> 32),
                UInt32(truncatingIfNeeded: time), captured, max(packet.length, captured)
            )
            withUnsafeBytes(of: head) { bytes.append(contentsOf: $0) }
            content.withUnsafeBytes { bytes.append(contentsOf: $0) }
            fill()
            if !comment.isEmpty { addOption(1, comment) }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: tail[..<size]))
        }
    }

    mutating func addStatistics(_ statistics: CaptureFileStatistics, of interface: UInt32, at time: UInt64) {
        addBlock(Self.interfaceStatistics) { encoder in
            func add(time: UInt64) {
                encoder.add(UInt32(truncatingIfNeeded: time >> 32))
                encoder.add(UInt32(truncatingIfNeeded: time))
            }
            encoder.add(interface)
            add(time: time)
            for (code, value) in [(2, statistics.start), (3, statistics.end)] {
                guard let value else { continue }
                encoder.addHead(UInt16(code), 8)
                add(time: value)
            }
            let counts = [
                (4, statistics.received), (5, statistics.lost), (6, statistics.accepted),
                (8, statistics.delivered),
            ]
            for (code, value) in counts {
                guard let value else { continue }
                encoder.addHead(UInt16(code), 8)
                encoder.add(value)
            }
            encoder.endOptions()
        }
    }

    // MARK: - Pieces

    private mutating func addBlock(_ type: UInt32, _ body: (inout BlockEncoder) -> Void) {
        let start = bytes.count
        add(type)
        add(UInt32(0))
        body(&self)
        let length = UInt32(bytes.count - start + 4)
        add(length)
        withUnsafeBytes(of: length) { length in
            for place in 0..<4 { bytes[start + 4 + place] = length[place] }
        }
    }

    private mutating func add(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
    }

    /// Up to a multiple of 4: what stands before is a whole number of words.
    private mutating func fill() {
        while !bytes.count.isMultiple(of: 4) { bytes.append(0) }
    }

    private static func filled(_ count: Int) -> Int { (count + 3) & ~3 }

    private mutating func addHead(_ code: UInt16, _ length: Int) {
        add(code)
        add(UInt16(length))
    }

    private mutating func addOption(_ code: UInt16, _ value: [UInt8]) {
        addHead(code, value.count)
        bytes.append(contentsOf: value)
        fill()
    }

    private mutating func addText(_ code: UInt16, _ text: String?) {
        guard let text, !text.isEmpty else { return }
        addOption(code, Self.shortened(text))
    }

    private mutating func endOptions() {
        addHead(0, 0)
    }

    /// As UTF-8, cut between characters.
    static func shortened(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count > longestText else { return bytes }
        var end = longestText
        while end > 0, bytes[end] & 0xc0 == 0x80 { end -= 1 }
        return Array(bytes[..<end])
    }
}

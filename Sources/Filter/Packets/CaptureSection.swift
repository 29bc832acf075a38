// SPDX-License-Identifier: Apache-2.0
import XDP

/// The section of a pcapng file that is being read, block by block.
///
/// | Offset | Size | Content of a block |
/// |---|---|---|
/// | 0 | 4 | type |
/// | 4 | 4 | the block's length n, all of it, a multiple of 4 |
/// | 8 | n - 12 | body |
/// | n - 4 | 4 | the length again |
///
/// Of the blocks of draft-ietf-opsawg-pcapng these are read: section header 0x0a0d0d0a, interface description 1,
/// packet 2 (obsolete), simple packet 3, interface statistics 5, enhanced packet 6. Others are stepped over, however large they
/// are. Options that are read are those that ``CaptureFileInterface``, ``CaptureFileStatistics`` and ``CapturedPacket`` have room for.
struct CaptureSection {
    /// What a block brought.
    enum Step {
        case packet(CapturedPacket)
        case nothing
        case end
        case cutShort
    }

    private struct Interface {
        var linkType = 0
        var clock = CaptureClock()
    }

    private static let sectionHeader = 0x0a0d_0d0a
    /// The largest block of a kind that is read.
    private static let largestBlock = CaptureReader.largestPacket + (1 << 16)
    /// The most interfaces of a file.
    private static let mostInterfaces = 1 << 16

    /// The file's, for messages.
    let name: String
    private var isBigEndian = false
    /// Of this section.
    private var interfaces: [Interface] = []
    /// Of all sections, and what is said of them at their end.
    private(set) var described: [CaptureFileInterface] = []
    private(set) var statistics: [Int: CaptureFileStatistics] = [:]
    /// The place in ``described`` of this section's first one.
    private var first = 0

    init(name: String) {
        self.name = name
    }

    /// Reads one block.
    mutating func step(_ input: inout CaptureInput) throws(XDPError) -> Step {
        guard try !input.isAtEnd() else { return .end }
        guard let start = try input.peek(12) else { return .cutShort }
        // The type of a section header is the same in both byte orders, and what follows tells which it is.
        if Array(start[0..<4]) == [0x0a, 0x0d, 0x0d, 0x0a] {
            switch Array(start[8..<12]) {
            case [0x1a, 0x2b, 0x3c, 0x4d]: isBigEndian = true
            case [0x4d, 0x3c, 0x2b, 0x1a]: isBigEndian = false
            default: throw damaged("a section has no byte order")
            }
            interfaces = []
            first = described.count
        }
        let head = CaptureNumbers(bytes: start, isBigEndian: isBigEndian)
        guard let type = head.u32(0), let length = head.u32(4) else { return .cutShort }
        guard length >= 12, length.isMultiple(of: 4) else {
            throw damaged("a block has the length \(length)")
        }
        let isRead = [1, 2, 3, 6].contains(type) || type == 5 && length <= Self.largestBlock
        guard isRead else { return try input.skip(length) ? .nothing : .cutShort }
        guard length <= Self.largestBlock else { throw damaged("a block has \(length) bytes") }
        guard let bytes = try input.take(length) else { return .cutShort }
        let block = CaptureNumbers(bytes: Array(bytes.dropLast(4)), isBigEndian: isBigEndian)
        switch type {
        case 1: try addInterface(block)
        case 2: return .packet(try packet(block, interface: block.u16(8), isObsolete: true))
        case 3: return .packet(try simplePacket(block))
        case 5: addStatistics(block)
        default: return .packet(try packet(block, interface: block.u32(8), isObsolete: false))
        }
        return .nothing
    }

    // MARK: - Blocks

    private mutating func addInterface(_ block: CaptureNumbers) throws(XDPError) {
        guard let linkType = block.u16(8), let snapLength = block.u32(12),
            described.count < Self.mostInterfaces
        else { throw damaged("an interface is not described") }
        var interface = Interface(linkType: linkType)
        var description = CaptureFileInterface(snapLength: UInt32(snapLength))
        for (code, value) in options(of: block, from: 16) {
            switch code {
            case 1: description.comment = value.text
            case 2: description.name = value.text
            case 3: description.description = value.text
            case 9:
                guard let resolution = value.bytes.first, interface.clock.setResolution(resolution) else {
                    throw damaged("a clock is finer than anything")
                }
            // Others than those that begin with 0 are programs.
            case 11 where value.bytes.first == 0: description.filter = value.text(from: 1)
            case 12: description.system = value.text
            case 14:
                if let offset = value.u64(0) { interface.clock.offset = Int64(bitPattern: offset) }
            case 15: description.hardware = value.text
            default: break
            }
        }
        interfaces.append(interface)
        described.append(description)
    }

    /// Those that are of no interface are nothing that packets need.
    private mutating func addStatistics(_ block: CaptureNumbers) {
        guard let number = block.u32(8), interfaces.indices.contains(number) else { return }
        let clock = interfaces[number].clock
        var found = CaptureFileStatistics()
        for (code, value) in options(of: block, from: 20) {
            switch code {
            case 2: found.start = time(value, 0).map(clock.nanoseconds)
            case 3: found.end = time(value, 0).map(clock.nanoseconds)
            case 4: found.received = value.u64(0)
            case 5: found.lost = value.u64(0)
            case 6: found.accepted = value.u64(0)
            case 8: found.delivered = value.u64(0)
            default: break
            }
        }
        statistics[first + number] = found
    }

    /// The upper half first, in both byte orders.
    private func time(_ numbers: CaptureNumbers, _ offset: Int) -> UInt64? {
        guard let high = numbers.u32(offset), let low = numbers.u32(offset + 4) else { return nil }
        return UInt64(high) << 32 | UInt64(low)
    }

    /// An enhanced packet, and the obsolete one, which has a count of lost packets in the upper half of the
    /// interface.
    private func packet(
        _ block: CaptureNumbers, interface number: Int?, isObsolete: Bool
    ) throws(XDPError) -> CapturedPacket {
        guard let number, let time = time(block, 12), let captured = block.u32(20),
            let length = block.u32(24), captured <= block.bytes.count - 28
        else { throw damaged("a packet is larger than its block") }
        let interface = try ethernet(number)
        var packet = CapturedPacket(
            bytes: Array(block.bytes[28..<(28 + captured)]), length: max(length, captured),
            nanoseconds: interface.clock.nanoseconds(time), interface: described[first + number].name,
            interfaceNumber: first + number)
        for (code, value) in options(of: block, from: 28 + (captured + 3) / 4 * 4) {
            switch code {
            case 1: packet.comments.append(value.text)
            case 2: packet.flags = value.u32(0).map { UInt32($0) }
            case 5 where !isObsolete: packet.packetID = value.u64(0)
            case 6 where !isObsolete: packet.queue = value.u32(0).map { UInt32($0) }
            // Of an XDP program; others are of TC, and of cards.
            case 7 where !isObsolete && value.bytes.first == 2: packet.verdict = value.u64(1)
            default: break
            }
        }
        return packet
    }

    private func simplePacket(_ block: CaptureNumbers) throws(XDPError) -> CapturedPacket {
        _ = try ethernet(0)
        guard let length = block.u32(8) else { throw damaged("a packet is larger than its block") }
        let limit = Int(described[first].snapLength)
        let most = limit == 0 ? length : min(length, limit)
        let captured = min(most, block.bytes.count - 12)
        return CapturedPacket(
            bytes: Array(block.bytes[12..<(12 + captured)]), length: length, nanoseconds: 0,
            interface: described[first].name, interfaceNumber: first)
    }

    private func ethernet(_ number: Int) throws(XDPError) -> Interface {
        guard interfaces.indices.contains(number) else { throw damaged("a packet is of no interface") }
        let interface = interfaces[number]
        if let problem = CaptureLinkType.problem(with: interface.linkType) {
            throw CaptureReader.refusal(name, problem.what, problem.remedy)
        }
        return interface
    }

    /// Options: 2 bytes code, 2 bytes length, the value, filled up to 4 bytes; code 0 ends them.
    private func options(
        of block: CaptureNumbers, from start: Int
    ) -> [(code: Int, value: CaptureNumbers)] {
        var found: [(code: Int, value: CaptureNumbers)] = []
        var offset = start
        while let code = block.u16(offset), let length = block.u16(offset + 2), code != 0,
            offset + 4 + length <= block.bytes.count
        {
            let value = Array(block.bytes[(offset + 4)..<(offset + 4 + length)])
            found.append((code, CaptureNumbers(bytes: value, isBigEndian: isBigEndian)))
            offset += 4 + (length + 3) / 4 * 4
        }
        return found
    }

    private func damaged(_ what: String) -> XDPError {
        CaptureReader.refusal(name, "it is damaged: \(what)", nil)
    }
}

/// What the times of an interface count.
struct CaptureClock {
    private var unitsPerSecond: UInt64 = 1_000_000
    /// Seconds to add.
    var offset: Int64 = 0

    /// Negative powers of ten, or of two where the upper bit is set; false if no number holds it.
    mutating func setResolution(_ resolution: UInt8) -> Bool {
        let power = Int(resolution & 0x7f)
        if resolution & 0x80 != 0 {
            guard power < 64 else { return false }
            unitsPerSecond = 1 << UInt64(power)
        } else {
            guard power < 20 else { return false }
            unitsPerSecond = (0..<power).reduce(1) { units, _ in units * 10 }
        }
        return true
    }

    /// Nanoseconds since 1970; what is before that or beyond all numbers is the end of them.
    func nanoseconds(_ units: UInt64) -> UInt64 {
        let billion: Int128 = 1_000_000_000
        let time = Int128(units) * billion / Int128(unitsPerSecond) + Int128(offset) * billion
        return UInt64(clamping: time)
    }
}

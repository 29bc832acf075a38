// SPDX-License-Identifier: Apache-2.0
import Netlink

extension PacketFields {
    /// Reads a packet's headers.
    ///
    /// - Parameters:
    ///   - packet: what stands in the packet's first buffer, from the Ethernet header; any bytes at all.
    ///   - length: of the whole frame, all buffers; nil: there is one buffer.
    ///   - queue: on which it came in.
    ///   - interface: the index of the interface by which it came in.
    public init(packet: [UInt8], length: Int? = nil, queue: UInt32 = 0, interface: UInt32 = 0) {
        self.init(bytes: packet, interface: interface)
        numbers[.length] = UInt32(clamping: min(max(length ?? packet.count, 0), 65_535))
        numbers[.queue] = min(queue, 65_535)
        var decoder = PacketDecoder(fields: self)
        decoder.readFrame()
        self = decoder.fields
    }

    /// A packet of which nothing is known but its bytes.
    private init(bytes: [UInt8], interface: UInt32) {
        self.bytes = bytes
        numbers = [:]
        isFirstFragment = false
        isLaterFragment = false
        self.interface = interface
    }
}

/// Steps through a packet's headers and notes what it finds, as ``PacketFields`` says.
private struct PacketDecoder {
    var fields: PacketFields
    /// Nothing behind this is read: the frame's end, later that of the IP packet.
    private var end: Int

    init(fields: PacketFields) {
        self.fields = fields
        end = fields.bytes.count
    }

    // MARK: - Frame

    mutating func readFrame() {
        guard let destination = number(at: 0, bytes: 6), let source = number(at: 6, bytes: 6),
            var type = number(at: 12, bytes: 2)
        else { return }
        fields.destinationMAC = MACAddress(value: destination)
        fields.sourceMAC = MACAddress(value: source)
        var offset = 14
        for field in [NumberField.vlan, .innerVLAN] {
            guard type == 0x8100 || type == 0x88a8,
                let tag = number(at: offset, bytes: 2), let inner = number(at: offset + 2, bytes: 2)
            else { break }
            fields.numbers[field] = UInt32(tag & 0xfff)
            type = inner
            offset += 4
        }
        fields.numbers[.etherType] = UInt32(type)
        switch type {
        case 0x0800: readIPv4(at: offset)
        case 0x86dd: readIPv6(at: offset)
        default: break
        }
    }

    // MARK: - Network

    private mutating func readIPv4(at start: Int) {
        guard let first = number(at: start, bytes: 1), first >> 4 == 4 else { return }
        let headerLength = Int(first & 0xf) * 4
        guard headerLength >= 20, start + headerLength <= end,
            let service = number(at: start + 1, bytes: 1),
            let totalLength = number(at: start + 2, bytes: 2).map(Int.init),
            let position = number(at: start + 6, bytes: 2), let ttl = number(at: start + 8, bytes: 1),
            let transport = number(at: start + 9, bytes: 1).map(UInt8.init),
            let source = address(at: start + 12, bytes: 4),
            let destination = address(at: start + 16, bytes: 4),
            totalLength == 0 || totalLength >= headerLength
        else { return }
        if totalLength != 0 { end = min(end, start + totalLength) }
        note(version: 4, at: start, service: service, ttl: ttl, source: source, destination: destination)
        fields.numbers[.protocol] = UInt32(transport)
        let isFirst = noteFragment(offset: position & 0x1fff, moreFollow: position & 0x2000 != 0)
        if isFirst { readTransport(transport, at: start + headerLength) }
    }

    private mutating func readIPv6(at start: Int) {
        guard let first = number(at: start, bytes: 2), first >> 12 == 6,
            let payloadLength = number(at: start + 4, bytes: 2).map(Int.init),
            let next = number(at: start + 6, bytes: 1).map(UInt8.init),
            let hopLimit = number(at: start + 7, bytes: 1),
            let source = address(at: start + 8, bytes: 16),
            let destination = address(at: start + 24, bytes: 16)
        else { return }
        if payloadLength != 0 { end = min(end, start + 40 + payloadLength) }
        note(
            version: 6, at: start, service: first >> 4 & 0xff, ttl: hopLimit, source: source,
            destination: destination)
        walkExtensions(from: next, at: start + 40)
    }

    private mutating func walkExtensions(from first: UInt8, at start: Int) {
        var header = first
        var offset = start
        var hasFragmentHeader = false
        for _ in 0..<8 {
            guard isExtension(header) else { break }
            guard let next = number(at: offset, bytes: 1), let size = number(at: offset + 1, bytes: 1)
            else { return }
            let length =
                switch header {
                case 44: 8
                case 51: (Int(size) + 2) * 4
                default: (Int(size) + 1) * 8
                }
            guard offset + length <= end else { return }
            if header == 44, !hasFragmentHeader, let position = number(at: offset + 2, bytes: 2) {
                hasFragmentHeader = true
                guard noteFragment(offset: position >> 3, moreFollow: position & 1 != 0) else {
                    fields.numbers[.protocol] = UInt32(next)
                    return
                }
            }
            header = UInt8(next)
            offset += length
        }
        guard !isExtension(header) else { return }
        fields.numbers[.protocol] = UInt32(header)
        readTransport(header, at: offset)
    }

    private func isExtension(_ header: UInt8) -> Bool {
        switch header {
        case 0, 43, 44, 51, 60, 135, 139, 140: true
        default: false
        }
    }

    private mutating func note(
        version: UInt32, at start: Int, service: UInt64, ttl: UInt64, source: IPAddress,
        destination: IPAddress
    ) {
        fields.networkOffset = start
        fields.source = source
        fields.destination = destination
        fields.numbers[.ipVersion] = version
        fields.numbers[.trafficClass] = UInt32(service)
        fields.numbers[.dscp] = UInt32(service >> 2)
        fields.numbers[.ttl] = UInt32(ttl)
    }

    /// Whether a transport header may follow.
    private mutating func noteFragment(offset: UInt64, moreFollow: Bool) -> Bool {
        fields.isLaterFragment = offset != 0
        fields.isFirstFragment = offset == 0 && moreFollow
        return offset == 0
    }

    // MARK: - Transport

    private mutating func readTransport(_ transport: UInt8, at start: Int) {
        fields.transportOffset = start
        switch (transport, fields.numbers[.ipVersion]) {
        case (6, _), (17, _), (33, _), (132, _), (136, _):
            guard let source = number(at: start, bytes: 2), let destination = number(at: start + 2, bytes: 2)
            else { return }
            fields.numbers[.sourcePort] = UInt32(source)
            fields.numbers[.destinationPort] = UInt32(destination)
            if transport == 6 { fields.tcpFlags = number(at: start + 13, bytes: 1).map(UInt8.init) }
        case (1, 4):
            readMessage(at: start, type: .icmpType, code: .icmpCode)
        case (58, 6):
            readMessage(at: start, type: .icmp6Type, code: .icmp6Code)
        default:
            break
        }
    }

    private mutating func readMessage(at start: Int, type: NumberField, code: NumberField) {
        guard let first = number(at: start, bytes: 1), let second = number(at: start + 1, bytes: 1)
        else { return }
        fields.numbers[type] = UInt32(first)
        fields.numbers[code] = UInt32(second)
    }

    // MARK: - Bytes

    /// Up to eight bytes as a number in network order; nil if they do not all lie before the end.
    private func number(at offset: Int, bytes count: Int) -> UInt64? {
        guard offset >= 0, offset + count <= end else { return nil }
        var value: UInt64 = 0
        for index in offset..<(offset + count) { value = value << 8 | UInt64(fields.bytes[index]) }
        return value
    }

    private func address(at offset: Int, bytes count: Int) -> IPAddress? {
        guard offset >= 0, offset + count <= end else { return nil }
        return IPAddress(bytes: fields.bytes[offset..<(offset + count)])
    }
}

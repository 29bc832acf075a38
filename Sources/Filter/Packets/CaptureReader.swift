// SPDX-License-Identifier: Apache-2.0
import XDP

/// Reads the packets of a capture file, one after the other: pcap, with micro- or nanoseconds, and pcapng, of both byte
/// orders; of Ethernet alone. The bytes are nobody's: whatever they are, it ends with packets or an error.
///
/// pcap:
///
/// | Offset | Size | Content |
/// |---|---|---|
/// | 0 | 4 | 0xa1b2c3d4 (microseconds) or 0xa1b23c4d (nanoseconds) |
/// | 4 | 12 | version and two fields that nobody uses |
/// | 16 | 4 | the most that was captured of a packet |
/// | 20 | 4 | link type, in the lower 16 bits |
/// | 24 | 16 + n | for each packet: seconds, fraction, captured bytes n, length |
public struct CaptureReader {
    /// No packet is larger; a record that says so is damaged.
    static let largestPacket = 1 << 18

    private let name: String
    private var input: CaptureInput
    private var format: Format
    /// Whether the file ended within a packet: it was copied before it was whole, or its writer was killed.
    public private(set) var isCutShort = false

    /// What packets are read for.
    public enum Purpose: Sendable {
        /// To be shown to rules.
        case trial
        /// To be shown to people.
        case display

        /// What reads them from standard input.
        var command: String {
            switch self {
            case .trial: "xdpctl filter test RULES -"
            case .display: "xdpctl capture -r -"
            }
        }
    }

    private enum Format {
        case pcap(isBigEndian: Bool, nanosecondsPerUnit: UInt64)
        case pcapng(CaptureSection)
    }

    /// What the file says of interfaces, so far; nothing where it is pcap.
    public var interfaces: [CaptureFileInterface] {
        if case .pcapng(let section) = format { section.described } else { [] }
    }

    /// What the file says at its end of interfaces, by their place.
    public var statistics: [Int: CaptureFileStatistics] {
        if case .pcapng(let section) = format { section.statistics } else { [:] }
    }

    /// - Parameters:
    ///   - name: of the file, for messages.
    ///   - read: the next bytes, some at a time; none at the end.
    ///   - purpose: what for, for messages.
    public init(
        name: String, purpose: Purpose = .trial, reading read: @escaping () throws(XDPError) -> [UInt8]
    ) throws(XDPError) {
        self.name = name
        input = CaptureInput(read)
        format = .pcapng(CaptureSection(name: name))
        guard let magic = try input.peek(4) else {
            throw Self.refusal(name, "it is \(try input.isAtEnd() ? "empty" : "too short")", nil)
        }
        switch magic {
        case [0x0a, 0x0d, 0x0d, 0x0a]: break
        case [0xa1, 0xb2, 0xc3, 0xd4]: try readHeader(isBigEndian: true, nanosecondsPerUnit: 1000)
        case [0xd4, 0xc3, 0xb2, 0xa1]: try readHeader(isBigEndian: false, nanosecondsPerUnit: 1000)
        case [0xa1, 0xb2, 0x3c, 0x4d]: try readHeader(isBigEndian: true, nanosecondsPerUnit: 1)
        case [0x4d, 0x3c, 0xb2, 0xa1]: try readHeader(isBigEndian: false, nanosecondsPerUnit: 1)
        default: throw Self.unknown(name, magic, purpose)
        }
    }

    /// The next packet; nil at the end.
    public mutating func next() throws(XDPError) -> CapturedPacket? {
        guard !isCutShort else { return nil }
        switch format {
        case .pcap(let isBigEndian, let nanosecondsPerUnit):
            return try nextRecord(isBigEndian: isBigEndian, nanosecondsPerUnit: nanosecondsPerUnit)
        case .pcapng(var section):
            // So that there is one of it while it changes.
            format = .pcapng(CaptureSection(name: name))
            defer { format = .pcapng(section) }
            while true {
                switch try section.step(&input) {
                case .packet(let packet): return packet
                case .nothing: continue
                case .end: return nil
                case .cutShort:
                    isCutShort = true
                    return nil
                }
            }
        }
    }

    // MARK: - pcap

    private mutating func readHeader(isBigEndian: Bool, nanosecondsPerUnit: UInt64) throws(XDPError) {
        guard let header = try input.take(24),
            let linkType = CaptureNumbers(bytes: header, isBigEndian: isBigEndian).u32(20)
        else { throw Self.refusal(name, "it ends within its header", nil) }
        if let problem = CaptureLinkType.problem(with: linkType & 0xffff) {
            throw Self.refusal(name, problem.what, problem.remedy)
        }
        format = .pcap(isBigEndian: isBigEndian, nanosecondsPerUnit: nanosecondsPerUnit)
    }

    private mutating func nextRecord(
        isBigEndian: Bool, nanosecondsPerUnit: UInt64
    ) throws(XDPError) -> CapturedPacket? {
        guard try !input.isAtEnd() else { return nil }
        guard let header = try input.take(16) else {
            isCutShort = true
            return nil
        }
        let numbers = CaptureNumbers(bytes: header, isBigEndian: isBigEndian)
        guard let seconds = numbers.u32(0), let fraction = numbers.u32(4), let captured = numbers.u32(8),
            let length = numbers.u32(12)
        else { return nil }
        guard captured <= Self.largestPacket else {
            throw Self.refusal(name, "it is damaged: a packet of it would have \(captured) bytes", nil)
        }
        guard let bytes = try input.take(captured) else {
            isCutShort = true
            return nil
        }
        return CapturedPacket(
            bytes: bytes, length: max(length, captured),
            nanoseconds: UInt64(seconds) * 1_000_000_000 + UInt64(fraction) * nanosecondsPerUnit)
    }

    // MARK: - Errors

    private static func unknown(_ name: String, _ magic: [UInt8], _ purpose: Purpose) -> XDPError {
        let packers: [([UInt8], String)] = [
            ([0x1f, 0x8b], "gunzip"), ([0x28, 0xb5, 0x2f, 0xfd], "unzstd"),
            ([0xfd, 0x37, 0x7a, 0x58], "unxz"),
            ([0x42, 0x5a, 0x68], "bunzip2"), ([0x04, 0x22, 0x4d, 0x18], "unlz4"),
        ]
        if let packer = packers.first(where: { magic.starts(with: $0.0) }) {
            return refusal(
                name, "it is packed", "unpack it first: \(packer.1) -c \(name) | \(purpose.command)")
        }
        return refusal(
            name, "it is neither pcap nor pcapng",
            purpose == .trial
                ? "a packet in words is quoted: 'tcp from 1.2.3.4 to 5.6.7.8:22 syn'"
                : "name a file that tcpdump, Wireshark or xdpctl capture wrote")
    }

    static func refusal(_ name: String, _ why: String, _ remedy: String?) -> XDPError {
        XDPError(.failed, "The packets of \(name) cannot be read", because: why, remedy: remedy)
    }
}

/// What is in the frames of a capture file.
enum CaptureLinkType {
    /// Nothing if it is Ethernet.
    static func problem(with type: Int) -> (what: String, remedy: String)? {
        guard type != 1 else { return nil }
        let names = [
            0: "loopback of BSD", 12: "raw IP", 101: "raw IP", 105: "802.11", 113: "Linux cooked capture",
            127: "802.11 with radiotap", 228: "raw IPv4", 229: "raw IPv6", 276: "Linux cooked capture v2",
        ]
        let name = names[type].map { "\($0), link type \(type)" } ?? "of link type \(type)"
        let isAny = type == 113 || type == 276
        return (
            "its packets are no Ethernet frames (\(name))",
            isAny
                ? "capture on one interface: tcpdump -i eth0 -w FILE; -i any keeps no Ethernet header"
                : "XDP filters see Ethernet frames; capture on an Ethernet interface"
        )
    }
}

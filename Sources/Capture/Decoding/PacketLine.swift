// SPDX-License-Identifier: Apache-2.0
import Filter
import Netlink

/// A packet in one line, from the outside to the inside: `vlan 5 tcp 192.0.2.1:40000 > 198.51.100.7:22 [S] seq 1 win 64240 len 60`.
///
/// It begins as ``PacketSummary`` does, says more, and follows tunnels, each behind a `|`. A header that the captured bytes do not hold
/// is `[|tcp]`. The bytes may be anything.
public struct PacketLine {
    /// How much is said.
    public struct Style: Sendable, Hashable {
        /// The Ethernet header.
        public var showsLink = false
        /// Only who speaks to whom.
        public var isShort = false
        /// Also what is rarely asked for: TTL, identification, checksums, options.
        public var isVerbose = false

        public init(showsLink: Bool = false, isShort: Bool = false, isVerbose: Bool = false) {
            self.showsLink = showsLink
            self.isShort = isShort
            self.isVerbose = isVerbose
        }
    }

    /// Tunnels in tunnels are followed so deep.
    static let deepest = 8

    let bytes: [UInt8]
    let style: Style
    /// Nothing behind this is read: where the captured bytes end, or an IP packet in them.
    var end: Int
    /// Whether the end is where the packet itself ends.
    var isWhole: Bool
    var depth = 0
    /// Where the IP packet ends by its own words, captured or not.
    var statedEnd: Int?
    /// What is said of a layer behind everything else of it.
    var pending: [String] = []
    private(set) var words: [String] = []

    /// - Parameters:
    ///   - bytes: what was captured, from the Ethernet header.
    ///   - length: of the whole frame.
    public init(_ bytes: [UInt8], length: Int, style: Style = Style()) {
        self.bytes = bytes
        self.style = style
        end = bytes.count
        isWhole = bytes.count >= length
        readFrame(at: 0)
        sayPending()
        words.append("len \(max(length, bytes.count))")
    }

    public var text: String { words.joined(separator: " ") }

    // MARK: - What parts use

    mutating func say(_ word: String) {
        words.append(word)
    }

    mutating func sayPending() {
        words += pending
        pending = []
    }

    /// What only a long line has.
    mutating func sayMore(_ word: @autoclosure () -> String) {
        if style.isVerbose { words.append(word()) }
    }

    /// The same, behind everything else of the layer.
    mutating func sayMoreLater(_ word: @autoclosure () -> String) {
        if style.isVerbose { pending.append(word()) }
    }

    /// What only the short line lacks.
    mutating func sayDetail(_ word: @autoclosure () -> String) {
        if !style.isShort { words.append(word()) }
    }

    /// Says that a header is not there: it was not captured, or the packet is too short for it.
    mutating func sayCut(_ header: String) {
        words.append(isWhole ? "[short \(header)]" : "[|\(header)]")
    }

    /// Up to four bytes as a number in network order; nil if they are not all there.
    func number(_ offset: Int, _ count: Int) -> Int? {
        guard offset >= 0, count > 0, offset <= end - count else { return nil }
        var value = 0
        for place in offset..<(offset + count) { value = value << 8 | Int(bytes[place]) }
        return value
    }

    func u8(_ offset: Int) -> UInt8? { number(offset, 1).map { UInt8($0) } }
    func u16(_ offset: Int) -> UInt16? { number(offset, 2).map { UInt16($0) } }

    func address(_ offset: Int, _ count: Int) -> IPAddress? {
        guard offset >= 0, offset <= end - count else { return nil }
        return IPAddress(bytes: bytes[offset..<(offset + count)])
    }

    func mac(_ offset: Int) -> MACAddress? {
        guard let high = number(offset, 2), let low = number(offset + 2, 4) else { return nil }
        return MACAddress(value: UInt64(high) << 32 | UInt64(low))
    }

    static func hex(_ value: some BinaryInteger, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return "0x" + String(repeating: "0", count: max(digits - text.count, 0)) + text
    }

    /// Follows what is inside; false if that would be too deep.
    mutating func enter() -> Bool {
        sayPending()
        depth += 1
        guard depth <= Self.deepest else {
            say("| …")
            return false
        }
        say("|")
        return true
    }
}

// SPDX-License-Identifier: Apache-2.0
import Capture
import Filter
import XDP

/// Prints packets, line by line, as text or as JSON.
struct CapturePrinter {
    private let display: CaptureDisplayOptions
    private let isJSON: Bool
    private let style: PacketLine.Style
    /// The column of the points is so wide; it grows.
    private var width: Int
    private var first: UInt64?
    private var last: UInt64?

    init(_ display: CaptureDisplayOptions, _ options: GlobalOptions, points: [TapPoint]) {
        self.display = display
        isJSON = options.json
        style = PacketLine.Style(
            showsLink: display.showsLink, isShort: display.isShort && !options.verbose,
            isVerbose: options.verbose)
        width = min(points.map { CapturePlace.text($0).count }.max() ?? 0, 24)
    }

    /// The lines of a packet.
    mutating func lines(_ packet: ShownPacket) -> [String] {
        if isJSON { return [JSONOutput.line(CaptureEvent(packet, showsBytes: showsBytes, style))] }
        let line = PacketLine(packet.bytes, length: packet.length, style: style)
        var words: [String] = []
        if let time = time(packet.nanoseconds) { words.append(time) }
        if let point = packet.place.point {
            let name = CapturePlace.text(point)
            width = max(width, min(name.count, 24))
            words.append(Terminal.clean(name) + String(repeating: " ", count: max(width - name.count, 0)))
        }
        if packet.place.point != nil || packet.code != nil { words.append(Self.verdict(of: packet)) }
        words.append(line.text)
        var lines = [words.joined(separator: " ")]
        if showsBytes { lines += HexDump.lines(packet.bytes, showsText: display.showsLetters) }
        return lines
    }

    private var showsBytes: Bool { display.showsBytes || display.showsLetters }

    /// `drop`, `aborted(77)` for a code that is none, a dash where there is none yet.
    private static func verdict(of packet: ShownPacket) -> String {
        guard let verdict = packet.verdict, let code = packet.code else { return "-   " }
        let text = packet.isUnknown ? "aborted(\(code))" : verdict.description
        return Terminal.coloured(text, verdict) + String(repeating: " ", count: max(4 - text.count, 0))
    }

    private mutating func time(_ nanoseconds: UInt64) -> String? {
        let clock = WallClock(nanoseconds: nanoseconds)
        defer { last = nanoseconds }
        let start = first ?? nanoseconds
        first = start
        switch display.times {
        case 1: return nil
        case 2: return Self.seconds(Int64(clamping: nanoseconds))
        case 3: return Self.seconds(Int64(clamping: nanoseconds) - Int64(clamping: last ?? nanoseconds))
        case 4: return "\(clock.localDay) \(clock.local)"
        case 5: return Self.seconds(Int64(clamping: nanoseconds) - Int64(clamping: start))
        default: return clock.local
        }
    }

    /// With six digits behind the point; packets of several CPUs may be a little out of order.
    private static func seconds(_ nanoseconds: Int64) -> String {
        let (seconds, rest) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let digits = String(rest / 1000)
        let text = "\(seconds)." + String(repeating: "0", count: 6 - digits.count) + digits
        return nanoseconds < 0 ? "-\(text)" : text
    }
}

// SPDX-License-Identifier: Apache-2.0
import Capture
import XDP

/// What there is to say at the end of a capture.
struct CaptureSummary {
    var points: [CaptureTotals.Point]
    /// Packets that were printed or written.
    var packets: UInt64
    var written: CaptureFileWriter.Tally?
    /// The file that was read ended within a packet.
    var isCutShort = false

    var lost: UInt64 { CaptureTotals(points: points).lost }

    /// For people.
    var lines: [String] {
        var lines: [String] = []
        // Of many members a few end packets.
        let busy = self.points.filter { $0.captured > 0 || $0.lost > 0 || $0.seen ?? 0 > 0 }
        let points = busy.isEmpty && self.points.count == 1 ? self.points : busy
        let seen = points.compactMap(\.seen)
        if points.count == 1, let only = points.first {
            let name = CapturePlace.text(only.point)
            let counted = seen.isEmpty ? "" : ", \(Number.grouped(seen[0])) seen"
            lines.append(
                "\(Self.count(packets)) captured at \(name), \(Number.grouped(only.lost)) lost\(counted)")
        } else if points.isEmpty {
            // Files of others have no points, and do not say what was lost.
            lines.append(Self.count(packets) + (self.points.isEmpty ? "" : " captured, 0 lost"))
        } else {
            var table = TextTable([.left, .right, .right, .right])
            table.add("POINT", "CAPTURED", "LOST", seen.isEmpty ? "" : "SEEN")
            for total in points {
                table.add(
                    CapturePlace.text(total.point), Number.grouped(total.captured),
                    Number.grouped(total.lost),
                    total.seen.map { Number.grouped($0) } ?? (seen.isEmpty ? "" : "-"))
            }
            lines += table.lines(indent: 0).map(Terminal.clean)
        }
        if let written {
            let files = written.files == 1 ? "" : " in \(written.files) files"
            lines.append(
                "\(Self.count(written.packets)) written, \(Number.grouped(written.bytes)) bytes\(files)")
        }
        if isCutShort { lines.append("the file ends within a packet: it was not whole") }
        return lines
    }

    static func count(_ packets: UInt64) -> String {
        "\(Number.grouped(packets)) \(packets == 1 ? "packet" : "packets")"
    }
}

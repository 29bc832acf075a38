// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// Writes what a live capture hands over: every point is an interface of the file.
public struct CapturePointWriter {
    public let file: CaptureFileWriter
    private let interface: String
    private let request: CaptureRequest
    private let system: String?
    /// The file's interfaces and the comments on packets, by the number of the point.
    private var points: [Point?] = []

    private struct Point {
        let point: TapPoint
        let interface: UInt32
        /// By verdict; the one of unknown codes is made for each.
        let comments: [[UInt8]]
    }

    /// - Parameters:
    ///   - points: those that there are by now, in the order of their numbers.
    public init(
        _ file: CaptureFileWriter, interface: String, request: CaptureRequest, system: String?,
        points: [TapPoint]
    ) {
        self.file = file
        self.interface = interface
        self.request = request
        self.system = system
        for (number, point) in points.enumerated() { _ = place(of: number, point) }
    }

    public mutating func write(_ frame: CapturedFrame, _ bytes: RawSpan) throws(XDPError) {
        let record = frame.record
        let place = place(of: Int(record.point), frame.point)
        let hasVerdict = record.verdict != Tap.noVerdict
        var packet = CaptureFilePacket(
            interface: place.interface, nanoseconds: frame.wallTime, length: record.length,
            queue: record.queue, packetID: record.packet, flags: CaptureFilePacket.inbound)
        if hasVerdict { packet.verdict = UInt64(record.verdict) }
        var comment: [UInt8] = []
        if hasVerdict {
            let code = Int(record.verdict)
            comment =
                place.comments.indices.contains(code)
                ? place.comments[code] : Self.comment(frame.point.member, unknown: record.verdict)
            // Back out of the interface by which it came.
            if frame.point.kind == .end, frame.verdict == .tx { packet.flags = CaptureFilePacket.outbound }
        }
        try file.write(packet, comment: comment, bytes)
    }

    /// For the statistics at the end of files.
    public mutating func note(_ totals: CaptureTotals) {
        for (number, total) in totals.points.enumerated() {
            let place = place(of: number, total.point)
            file.note(
                CaptureFileStatistics(received: total.seen, lost: total.lost), of: place.interface)
        }
    }

    // MARK: - Points

    private mutating func place(of number: Int, _ point: TapPoint) -> Point {
        while points.count <= number { points.append(nil) }
        if let known = points[number], known.point == point { return known }
        let place = CapturePlace(interface: interface, point: point)
        let id = file.add(
            CaptureFileInterface(
                name: place.description, description: Self.description(of: point),
                filter: request.program.expression, snapLength: request.snapLength, system: system,
                comment: remark))
        let made = Point(
            point: point, interface: id,
            comments: Verdict.allCases.map { $0 == .pass ? [] : Self.comment(point.member, $0) })
        points[number] = made
        return made
    }

    /// What chose packets beside the expression.
    private var remark: String? {
        var parts: [String] = []
        if let verdicts = request.verdicts {
            parts.append("only verdicts \(verdicts.sorted().map(\.description).joined(separator: ", "))")
        }
        if request.every > 1 { parts.append("one of \(request.every) packets") }
        return parts.isEmpty ? nil : parts.joined(separator: "; ")
    }

    private static func description(of point: TapPoint) -> String {
        switch point.kind {
        case .start: "XDP: before the first member"
        case .entry: "XDP: before \(point.member)"
        case .exit: "XDP: after \(point.member)"
        case .end where point.member.isEmpty: "XDP: after the chain"
        case .end: "XDP: after the chain, with the verdict of \(point.member)"
        }
    }

    private static func comment(_ member: String, _ verdict: Verdict) -> [UInt8] {
        Array((member.isEmpty ? "\(verdict)" : "\(member): \(verdict)").utf8)
    }

    private static func comment(_ member: String, unknown code: UInt32) -> [UInt8] {
        Array("\(member.isEmpty ? "" : member + ": ")\(code), which is no verdict: aborted".utf8)
    }
}

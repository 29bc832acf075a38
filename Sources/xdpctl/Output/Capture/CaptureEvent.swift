// SPDX-License-Identifier: Apache-2.0
import Capture
import Filter
import Netlink
import XDP

/// A line of `xdpctl capture --json`. Documentation/json.md describes the fields.
struct CaptureEvent: Encodable {
    struct PacketPart: Encodable {
        let kind: String
        let source: String?
        let destination: String?
        let details: [String]
    }

    struct PointPart: Encodable {
        let point: String
        let member: String?
        var captured: UInt64?
        var lost: UInt64?
        var seen: UInt64?

        init(_ point: TapPoint) {
            self.point = Self.name(of: point.kind)
            member = point.member.isEmpty ? nil : point.member
        }

        static func name(of kind: TapPoint.Kind) -> String {
            switch kind {
            case .start: "start"
            case .entry: "entry"
            case .exit: "exit"
            case .end: "end"
            }
        }
    }

    var format = 1
    /// "capturing", "packet", "lost", "gone", "statistics".
    let event: String
    var interface: String?
    var filter: String?
    var notes: [String]?
    var time: String?
    var point: String?
    var member: String?
    var verdict: String?
    var verdictCode: UInt64?
    var packetId: UInt64?
    var queue: UInt32?
    var cpu: UInt32?
    var length: Int?
    var captured: UInt64?
    var text: String?
    var packet: PacketPart?
    var comments: [String]?
    var data: String?
    var reason: String?
    var lost: UInt64?
    var points: [PointPart]?
    var files: Int?
    var bytes: UInt64?
    var isCutShort: Bool?

    private init(_ event: String) {
        self.event = event
    }

    static func capturing(
        _ interface: String, at points: [TapPoint], filter: String, notes: [String]
    ) -> CaptureEvent {
        var event = CaptureEvent("capturing")
        event.interface = interface
        event.points = points.map(PointPart.init)
        event.filter = filter.isEmpty ? nil : filter
        event.notes = notes
        return event
    }

    static func lost(_ lost: [(point: TapPoint, count: UInt64)]) -> CaptureEvent {
        var event = CaptureEvent("lost")
        event.points = lost.map { point, count in
            var part = PointPart(point)
            part.lost = count
            return part
        }
        event.lost = lost.reduce(0) { $0 + $1.count }
        return event
    }

    static func gone(_ reason: String) -> CaptureEvent {
        var event = CaptureEvent("gone")
        event.reason = reason
        return event
    }

    static func statistics(_ summary: CaptureSummary) -> CaptureEvent {
        var event = CaptureEvent("statistics")
        event.points = summary.points.map { total in
            var part = PointPart(total.point)
            part.captured = total.captured
            part.lost = total.lost
            part.seen = total.seen
            return part
        }
        event.captured = summary.packets
        event.lost = summary.lost
        event.files = summary.written?.files
        event.bytes = summary.written?.bytes
        event.isCutShort = summary.isCutShort ? true : nil
        return event
    }

    init(_ shown: ShownPacket, showsBytes: Bool, _ style: PacketLine.Style) {
        self.init("packet")
        let summary = PacketSummary(PacketFields(packet: shown.bytes, length: shown.length))
        time = WallClock(nanoseconds: shown.nanoseconds).utc
        interface = shown.place.interface.isEmpty ? nil : shown.place.interface
        point = shown.place.point.map { PointPart.name(of: $0.kind) }
        member = shown.place.point.flatMap { $0.member.isEmpty ? nil : $0.member }
        verdict = shown.verdict?.description
        verdictCode = shown.code
        packetId = shown.packetID
        queue = shown.queue
        cpu = shown.cpu
        length = shown.length
        captured = UInt64(shown.bytes.count)
        text = PacketLine(shown.bytes, length: shown.length, style: style).text
        packet = PacketPart(
            kind: summary.kind, source: summary.source.isEmpty ? nil : summary.source,
            destination: summary.destination.isEmpty ? nil : summary.destination, details: summary.details)
        comments = shown.comments.isEmpty ? nil : shown.comments
        data = showsBytes ? HexDump.text(shown.bytes) : nil
    }
}

// SPDX-License-Identifier: Apache-2.0
import Capture
import Filter
import Glibc
import XDP

/// `xdpctl capture -r FILE`: packets of a file, shown or written to another one.
struct FileCapture {
    private let request: CaptureRequest
    private let command: CaptureCommand
    private let input: CaptureFileInput
    private var reader: CaptureReader
    /// The interfaces of the file that is written, by those of the file that is read.
    private var copies: [Int: UInt32] = [:]
    /// Packets of each point, in the order in which they came first.
    private var points: [CaptureTotals.Point] = []
    private var places: [String: CapturePlace] = [:]

    init(_ path: String, _ request: CaptureRequest, _ command: CaptureCommand) throws(XDPError) {
        self.request = request
        self.command = command
        let input = try CaptureFileInput(path)
        self.input = input
        reader = try CaptureReader(name: input.name, purpose: .display) { () throws(XDPError) in
            try input.next()
        }
    }

    mutating func run() throws(XDPError) {
        Interruption.catchSignals()
        var next = try reader.next()
        let start = next?.nanoseconds ?? 0
        var file: CaptureFileWriter?
        if let target = command.files.write {
            file = try CaptureFileWriter(
                path: target, origin: .here(application: "xdpctl \(Version.text)"),
                rotation: command.files.rotation(), isUnbuffered: command.files.isUnbuffered,
                at: start, until: { Interruption.hasCome })
        }
        let printer =
            file == nil || command.files.prints
            ? CapturePrinter(command.display, command.options, points: []) : nil
        let sink = CaptureSink(
            file: file, printer: printer, limit: command.selection.count, until: { Interruption.hasCome })
        // Who writes a pipe may take his time: what came is shown meanwhile.
        input.shallWait = { () throws(XDPError) -> Bool in
            try sink.flush()
            sink.lookForReader()
            return !sink.isDone && !Interruption.hasCome
        }
        let snapLength = Int(request.snapLength)
        var last = start
        var failure: XDPError?
        while var packet = next, !sink.isDone, !Interruption.hasCome {
            let shown = ShownPacket(packet, place(of: packet))
            if matches(packet, shown) {
                if packet.bytes.count > snapLength { packet.bytes = Array(packet.bytes.prefix(snapLength)) }
                if let file { try copy(packet, to: file) }
                try sink.take(ShownPacket(packet, shown.place))
                note(shown.place)
                last = max(last, packet.nanoseconds)
            }
            if sink.isDone { break }
            // What came before a damage is nevertheless there.
            do throws(XDPError) { next = try reader.next() } catch { (failure, next) = (error, nil) }
        }
        try sink.flush()
        let summary = try finish(file, sink, at: last)
        try sink.say(.statistics(summary), text: summary.lines, isJSON: command.options.json)
        if let failure { throw failure }
    }

    /// As a capture chooses: a verdict is asked for where there is one.
    private func matches(_ packet: CapturedPacket, _ shown: ShownPacket) -> Bool {
        let point = shown.place.point
        if command.selection.at != nil {
            guard let point, request.selection.includes(point) else { return false }
        }
        if let verdicts = request.verdicts {
            let isBefore = point?.kind == .start || point?.kind == .entry
            guard shown.verdict.map(verdicts.contains) ?? isBefore else { return false }
        }
        return request.program.matches(packet.bytes, length: packet.length)
    }

    private mutating func place(of packet: CapturedPacket) -> CapturePlace {
        let name = packet.interface ?? ""
        if let known = places[name] { return known }
        let place = CapturePlace(parsing: name)
        places[name] = place
        return place
    }

    private mutating func note(_ place: CapturePlace) {
        guard let point = place.point else { return }
        if let number = points.firstIndex(where: { $0.point == point }) {
            points[number].captured += 1
        } else {
            points.append(CaptureTotals.Point(point: point, captured: 1))
        }
    }

    // MARK: - Another file

    private mutating func copy(_ packet: CapturedPacket, to file: CaptureFileWriter) throws(XDPError) {
        let number = packet.interfaceNumber ?? -1
        let interface: UInt32
        if let known = copies[number] {
            interface = known
        } else {
            let known = reader.interfaces
            interface = file.add(
                known.indices.contains(number) ? known[number] : CaptureFileInterface(name: packet.interface))
            copies[number] = interface
        }
        let comment = packet.comments.joined(separator: "; ")
        try file.write(
            CaptureFilePacket(
                interface: interface, nanoseconds: packet.nanoseconds,
                length: UInt32(clamping: packet.length), queue: packet.queue, verdict: packet.verdict,
                packetID: packet.packetID, flags: packet.flags),
            comment: Array(comment.utf8), packet.bytes.span.bytes)
    }

    /// What the file that was read says at its end goes to the end of the other one.
    private mutating func finish(
        _ file: CaptureFileWriter?, _ sink: CaptureSink, at time: UInt64
    ) throws(XDPError) -> CaptureSummary {
        let known = reader.interfaces
        for (number, statistics) in reader.statistics {
            if let file, let copy = copies[number] {
                file.note(
                    CaptureFileStatistics(received: statistics.received, lost: statistics.lost), of: copy)
            }
            guard known.indices.contains(number),
                let point = CapturePlace(parsing: known[number].name ?? "").point,
                let place = points.firstIndex(where: { $0.point == point })
            else { continue }
            points[place].lost = CaptureTotals.sum([points[place].lost, statistics.lost ?? 0])
            if let received = statistics.received {
                points[place].seen = CaptureTotals.sum([points[place].seen ?? 0, received])
            }
        }
        try file?.finish(at: time)
        return CaptureSummary(
            points: points, packets: sink.packets, written: file?.tally,
            isCutShort: reader.isCutShort && !sink.isDone && !Interruption.hasCome)
    }
}

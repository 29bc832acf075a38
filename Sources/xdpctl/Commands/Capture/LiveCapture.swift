// SPDX-License-Identifier: Apache-2.0
import Capture
import Filter
import Glibc
import XDP

/// `xdpctl capture IFACE`: a capture while it runs.
struct LiveCapture {
    private let interface: String
    private let request: CaptureRequest
    private let command: CaptureCommand
    private let session: CaptureSession
    private let deadline: ContinuousClock.Instant?

    /// Packets wait so long at most before they are written, in milliseconds.
    private static let pace = 100
    /// Losses are told so often at most.
    private static let lossPace = Duration.seconds(1)

    init(_ interface: String, _ request: CaptureRequest, _ command: CaptureCommand) throws(XDPError) {
        self.interface = interface
        self.request = request
        self.command = command
        // What is wrong with the files is said before the interface is touched.
        _ = try command.files.rotation()
        session = try CaptureSession(request, on: try Interface(named: interface))
        deadline = command.selection.duration.flatMap(LifeText.seconds).map {
            ContinuousClock.now + .seconds(Int64(clamping: $0))
        }
    }

    /// Captures until the end, whoever wants it; returns the exit status.
    func run() throws(XDPError) -> Int32 {
        do throws(XDPError) {
            return try capture()
        } catch {
            // The chain is left as it was, also if the disk is full.
            _ = try? session.end()
            throw error
        }
    }

    private func capture() throws(XDPError) -> Int32 {
        let now = Self.now()
        var writer: CapturePointWriter?
        if let path = command.files.write {
            let origin = CaptureOrigin.here(application: "xdpctl \(Version.text)")
            let file = try CaptureFileWriter(
                path: path, origin: origin, rotation: command.files.rotation(),
                isUnbuffered: command.files.isUnbuffered, at: now, until: { Interruption.hasCome })
            writer = CapturePointWriter(
                file, interface: interface, request: request, system: origin.system, points: session.points)
        }
        let printer =
            writer == nil || command.files.prints
            ? CapturePrinter(command.display, command.options, points: session.points) : nil
        let sink = CaptureSink(
            file: writer?.file, printer: printer, limit: command.selection.count,
            until: { Interruption.hasCome })
        try sink.say(
            .capturing(
                interface, at: session.points, filter: request.program.expression, notes: session.notes),
            text: [begin] + session.notes.map { Terminal.wrapped($0, indent: 2) }, isJSON: saysJSON)
        try writer?.file.flush()

        var losses = LossReport()
        var nextReport = ContinuousClock.now + Self.lossPace
        var state = CaptureSession.State.running
        var failure: XDPError?
        // The session counts what it hands over; this is what was wanted of it.
        var taken: [UInt64] = []
        func take(_ frame: CapturedFrame, _ bytes: RawSpan) {
            guard failure == nil, !sink.isDone else { return }
            do throws(XDPError) {
                try writer?.write(frame, bytes)
                try sink.take(
                    ShownPacket(frame, bytes.withUnsafeBytes { Array($0) }, interface: interface))
                let point = Int(frame.record.point)
                guard point < Tap.maximumPoints else { return }
                while taken.count <= point { taken.append(0) }
                taken[point] += 1
            } catch { failure = error }
        }
        var totals: CaptureTotals
        do throws(XDPError) {
            while case .running = state, !sink.isDone, !Interruption.hasCome, !isOver {
                state = try session.read(milliseconds: pace, take)
                if let failure { throw failure }
                try sink.flush()
                try writer?.file.rotateIfDue(Self.now())
                if ContinuousClock.now >= nextReport {
                    nextReport = ContinuousClock.now + Self.lossPace
                    sink.lookForReader()
                    let totals = try session.totals()
                    writer?.note(totals)
                    if let lost = losses.more(in: totals) {
                        try sink.say(.lost(lost), text: losses.text(lost), isJSON: saysJSON)
                    }
                }
            }
            totals = try session.end(take)
            if let failure { throw failure }
        } catch {
            // The file is whole, unless it is the file that failed.
            if let totals = try? session.end() { writer?.note(totals) }
            try? writer?.file.finish(at: Self.now())
            throw error
        }
        for number in totals.points.indices {
            totals.points[number].captured = number < taken.count ? taken[number] : 0
        }
        writer?.note(totals)
        try writer?.file.finish(at: Self.now())
        if case .gone(let reason) = state {
            try sink.say(.gone(reason), text: ["xdpctl: \(reason)"], isJSON: saysJSON)
        }
        let summary = CaptureSummary(
            points: totals.points, packets: sink.packets, written: writer?.file.tally)
        try sink.say(.statistics(summary), text: summary.lines, isJSON: saysJSON)
        if case .gone = state { return 1 }
        return 0
    }

    private var saysJSON: Bool { command.options.json }

    private var isOver: Bool { deadline.map { ContinuousClock.now >= $0 } ?? false }

    /// Not beyond the deadline.
    private var pace: Int {
        guard let deadline else { return Self.pace }
        let left = (deadline - ContinuousClock.now) / Duration.milliseconds(1)
        return max(0, min(Self.pace, Int(left.rounded(.up))))
    }

    private var begin: String {
        let points = (command.selection.at ?? "end").replacing(",", with: ", ")
        return Terminal.wrapped("capturing on \(interface) at \(points); Ctrl-C ends", indent: 2)
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// What was lost since it was last said.
struct LossReport {
    private var told: [Int: UInt64] = [:]
    private var hasAdvised = false

    /// Nil if nothing was lost meanwhile.
    mutating func more(in totals: CaptureTotals) -> [(point: TapPoint, count: UInt64)]? {
        var more: [(point: TapPoint, count: UInt64)] = []
        for (number, total) in totals.points.enumerated() {
            let before = told[number] ?? 0
            if total.lost > before { more.append((total.point, total.lost - before)) }
            told[number] = total.lost
        }
        return more.isEmpty ? nil : more
    }

    /// For people; what can be done is said once.
    mutating func text(_ lost: [(point: TapPoint, count: UInt64)]) -> [String] {
        var lines = lost.map { point, count in
            "\(CaptureSummary.count(count)) lost at \(CapturePlace.text(point)), for want of room"
        }
        if !hasAdvised {
            hasAdvised = true
            lines.append(
                Terminal.wrapped(
                    "a narrower expression, -s 96, --every 10, -w FILE instead of text, or a larger --buffer help",
                    indent: 2))
        }
        return lines
    }
}

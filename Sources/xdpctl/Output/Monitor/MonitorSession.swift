// SPDX-License-Identifier: Apache-2.0
import Filter
import Glibc
import Observe
import XDP

/// The loop of `xdpctl monitor`: what is new goes out at once, the rest once an interval.
struct MonitorSession: ~Copyable {
    private let watch: XDPEventWatch
    private var attachments: AttachmentWatch
    private let every: Double
    /// How many lines may follow.
    private var left: Int
    private var output: MonitorPrinter
    private let commands: RemedyCommands
    private var resolver = EventResolver()
    /// What was told of before.
    private var known: Set<XDPEvent.Key> = []
    /// What came since the last interval.
    private var pending: [XDPEvent.Key: XDPEvent] = [:]
    private var others: UInt64 = 0

    private static let longestWait = 1.0
    /// After so many kinds all are new again: a machine may run for years.
    private static let mostKnown = 16_384

    init(
        watch: XDPEventWatch, attachments: AttachmentWatch, every: Double, left: Int, output: MonitorPrinter,
        commands: RemedyCommands
    ) {
        self.watch = watch
        self.attachments = attachments
        self.every = every
        self.left = left
        self.output = output
        self.commands = commands
    }

    /// - Parameter seconds: nil goes on until a signal comes.
    mutating func run(seconds: Double?, watching: MonitorOutput) throws(XDPError) {
        output.write(watching)
        for missing in watch.missing { output.write(MonitorOutput(missing)) }
        let end = seconds.map { Self.now + $0 } ?? .infinity
        var next = Self.now + every
        while left > 0, !Interruption.hasCome, Terminal.hasReader {
            let now = Self.now
            if now >= end { break }
            // A signal may come just before the wait, and a reader goes without one.
            let wait = min(max(min(next, end) - now, 0), Self.longestWait)
            take(try watch.read(milliseconds: Int((wait * 1000).rounded(.up))))
            if Self.now >= next {
                try flush()
                next = max(next + every, Self.now)
            }
        }
        // What came until the end.
        take(try watch.read(milliseconds: 0))
        try flush()
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private mutating func take(_ events: [XDPEvent]) {
        for event in events {
            if event.key.kind != .attachFailed, known.contains(event.key) {
                pending[event.key, default: XDPEvent(key: event.key, time: 0, count: 0)].add(event)
                continue
            }
            if known.count >= Self.mostKnown { known = [] }
            let isFirst = known.insert(event.key).inserted
            write(event, isFirst: isFirst || event.key.kind == .attachFailed)
        }
    }

    private mutating func flush() throws(XDPError) {
        let events = pending.values.sorted { $0.time < $1.time }
        pending = [:]
        for event in events { write(event, isFirst: false) }
        if watch.others > others {
            line(.others(watch.others - others))
            others = watch.others
        }
        for change in try attachments.changes() {
            line(MonitorOutput(change, program: resolver.programName(change.after)))
        }
    }

    private mutating func write(_ event: XDPEvent, isFirst: Bool) {
        let names = resolver.names(of: event.key, isDetailed: isFirst)
        var told = MonitorOutput(
            event, names: names, isFirst: isFirst, at: WallClock(event.time, WallClock.offset()))
        told.remedy = told.remedy.map(commands.complete)
        line(told)
    }

    private mutating func line(_ output: MonitorOutput) {
        guard left > 0 else { return }
        left -= 1
        self.output.write(output)
    }
}

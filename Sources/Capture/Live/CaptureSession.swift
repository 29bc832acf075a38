// SPDX-License-Identifier: Apache-2.0
import BPF
import Filter
import Glibc
import Netlink
import Synchronization
import XDP

/// A capture on an interface, from its start to its end: several of them can run at once, also in one process.
///
/// It is used in the network namespace of its interface. If its process dies, nothing is recorded any more from that moment on,
/// and the next xdpctl command takes out of the chain what is left (``CaptureGuard``).
///
///     let session = try CaptureSession(request, on: interface)
///     while case .running = try session.read(milliseconds: 1000, { frame, bytes in … }) {}
///     let totals = try session.end { frame, bytes in … }
public final class CaptureSession {
    public enum State: Sendable, Hashable {
        case running
        /// The interface, the chain or the capture's place in it is gone, and why, as a clause. Nothing follows.
        case gone(String)
    }

    /// What the user should know.
    public private(set) var notes: [String]
    /// By their number; more come with members.
    public private(set) var points: [TapPoint]
    /// Of the tap.
    public let name: String
    /// Bytes of all rings together.
    public var bufferSize: Int { rings.buffer.size }

    private let interface: Interface
    private let editor: ChainEditor
    private let page: MappedValue
    private let rings: CaptureRings
    private let guardian: CaptureGuard
    private var tally: CaptureTally
    private var routes: RouteSocket
    private var attachments: [XDPAttachment] = []
    private var state = State.running
    private var hasEnded = false
    /// From CLOCK_MONOTONIC to UTC, measured once: the intervals between packets stay true when the clock is set meanwhile.
    private let clockOffset: Int64
    /// When it is looked again whether the chain changed, of which nobody tells. Nanoseconds of CLOCK_MONOTONIC.
    private var nextLook: UInt64 = 0

    private static let lookInterval: UInt64 = 500_000_000
    /// So long at most records wait that are too few to wake the reader, in milliseconds.
    private static let pace = 20
    /// The kernel's clock for programs may be so much behind the one that is read here, in nanoseconds.
    private static let clockSlack: UInt64 = 100_000

    /// Starts to capture. Takes captures out first whose process is gone.
    public init(_ request: CaptureRequest, on interface: Interface) throws(XDPError) {
        let what = "Packets on \(interface.name) cannot be captured"
        let editor = ChainEditor(interface)
        _ = try editor.sweepTaps()
        let rings = try CaptureRings(CaptureBuffer(bytes: request.bufferSize))
        var unit = try CaptureCode.unit(for: request, rings: rings.buffer.slots, abilities: .probed())
        unit.maps[Int(CaptureCode.Map.rings)].definition = rings.map.definition
        let pageMap: MapHandle
        do throws(BPFError) {
            pageMap = try MapHandle(CapturePage.definition)
            page = try MappedValue(pageMap.map, count: CapturePage.size)
        } catch {
            throw XDPError(error, during: what)
        }
        // The caller's may be as old as it likes.
        let current: Interface
        do throws(NetlinkError) {
            routes = try RouteSocket()
            current = Interface(try routes.link(index: interface.index))
        } catch {
            throw XDPError(error, during: what)
        }
        guardian = try CaptureGuard(page)
        var former: ActiveChain?
        if case .chain(let active) = try current.occupant() { former = active }
        tally = try CaptureTally(page, before: former)
        // The page's number is nobody else's as long as it is there, in whatever namespace.
        name = "capture-\(pageMap.id)"
        let tap = Tap(
            name: name, purpose: request.purpose, process: UInt32(getpid()), unit: unit,
            mapIDs: [pageMap.id, rings.map.id], guardMap: Int(CaptureCode.Map.page),
            selection: request.selection)
        clockOffset = WallClock.offset()
        let report = try editor.startTap(tap, resources: [pageMap, rings.map], mode: request.mode)
        self.interface = interface
        self.editor = editor
        self.rings = rings
        points = report.chain.taps.first { [name] in $0.name == name }?.points ?? []
        notes = report.notes
        state = try look()
    }

    deinit {
        if !hasEnded { _ = try? end() }
    }

    // MARK: - Reading

    /// Waits up to so long, then hands over what is there, in the order of time over all CPUs.
    ///
    /// Returns at once when a signal comes.
    ///
    /// - Parameter body: gets each packet, whose bytes are valid until it returns.
    public func read(
        milliseconds: Int, _ body: (CapturedFrame, RawSpan) -> Void
    ) throws(XDPError) -> State {
        guard case .running = state, !hasEnded else { return state }
        var left = max(milliseconds, 0)
        while true {
            let step = min(left, Self.pace)
            let isInterrupted = !wait(step)
            left -= step
            let now = MonotonicTime.now()
            let isFull = rings.unread >= rings.wakeupThreshold
            let count = try hand(before: now &- Self.clockSlack, to: body)
            if !isFull, now >= nextLook {
                state = try look()
                if case .gone = state {
                    GracePeriod.wait()
                    _ = try hand(before: .max, to: body)
                    return state
                }
            }
            if count > 0 || isInterrupted || left <= 0 { return state }
        }
    }

    /// Sleeps unless there is much to do already; false if a signal came.
    private func wait(_ milliseconds: Int) -> Bool {
        guard milliseconds > 0 else { return true }
        let word = UnsafePointer(
            (page.memory + CapturePage.wakeup).assumingMemoryBound(to: Atomic<UInt32>.self))
        word.pointee.store(UInt32(rings.wakeupThreshold), ordering: .sequentiallyConsistent)
        defer { word.pointee.store(0, ordering: .relaxed) }
        guard rings.unread < rings.wakeupThreshold else { return true }
        return rings.wait(milliseconds: milliseconds)
    }

    /// Hands over what is older than a moment; returns how much.
    private func hand(
        before limit: UInt64, to body: (CapturedFrame, RawSpan) -> Void
    ) throws(XDPError) -> Int {
        var count = 0
        var failure: XDPError?
        rings.read(before: limit) { record, bytes in
            let number = Int(record.point)
            if number >= points.count, failure == nil {
                // A member came: the chain that runs knows its points.
                do throws(XDPError) { state = try look() } catch { failure = error }
            }
            count += 1
            tally.count(number)
            let point = number < points.count ? points[number] : TapPoint(.exit, member: "?")
            let time = record.time &+ UInt64(bitPattern: clockOffset)
            body(CapturedFrame(record: record, wallTime: time, point: point), bytes)
        }
        if let failure { throw failure }
        return count
    }

    /// What was read, lost and seen by now.
    public func totals() throws(XDPError) -> CaptureTotals {
        if !hasEnded { try tally.update(points) }
        return tally.totals(points)
    }

    // MARK: - The end

    /// Ends the capture: takes it out of the chain, waits for packets on their way, and hands over what is left. Doing it again
    /// is no error.
    ///
    /// If it cannot be taken out, nothing is recorded any more nevertheless, and the next command tries again.
    public func end(
        _ body: (CapturedFrame, RawSpan) -> Void = { _, _ in }
    ) throws(XDPError) -> CaptureTotals {
        guard !hasEnded else { return tally.totals(points) }
        if case .running = state { state = try look() }
        hasEnded = true
        var failure: XDPError?
        if case .running = state {
            do throws(XDPError) { _ = try editor.endTap(name) } catch { failure = error }
        }
        guardian.end()
        GracePeriod.wait()
        _ = try hand(before: .max, to: body)
        try tally.update(points)
        if let failure, !isGone() { throw failure }
        return tally.totals(points)
    }

    // MARK: - The chain

    /// Looks which chain runs now, and whether the capture is in it.
    private func look() throws(XDPError) -> State {
        nextLook = MonotonicTime.now() &+ Self.lookInterval
        let link: Link
        do throws(NetlinkError) {
            link = try routes.link(index: interface.index)
        } catch {
            guard error.errno.rawValue == ENODEV else {
                throw XDPError(error, during: "The interface \(interface.name) cannot be watched")
            }
            return .gone("\(interface.name) is gone")
        }
        guard link.attachments != attachments else { return state }
        switch try Interface(link).occupant() {
        case .chain(let chain):
            guard let tap = chain.manifest.chain.taps.first(where: { $0.name == name }) else {
                return .gone("somebody took the capture out of the chain on \(link.name)")
            }
            attachments = link.attachments
            points = tap.points
            try tally.follow(chain, points: points)
            return state
        case .none: return .gone("the chain on \(link.name) was taken off")
        case .foreign(let program):
            return .gone("program \(program.information.id) took the place of the chain on \(link.name)")
        case .unreadable:
            return .gone("another chain, which cannot be read, took the place of that on \(link.name)")
        }
    }

    private func isGone() -> Bool {
        guard let now = try? look(), case .gone = now else { return false }
        return true
    }
}

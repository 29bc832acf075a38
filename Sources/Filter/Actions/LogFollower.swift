// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import XDP

/// Follows the reports of a filter's `log` rules, also while the rules change.
///
/// A filter's ring has one reader at a time: a second follower is refused while the first one runs.
public final class LogFollower {
    /// What happened.
    public enum Event: Sendable {
        case report(RuleReport)
        /// So many more reports were lost, because they were not read in time.
        case lost(UInt64)
        /// The filter has other rules now.
        case changed
        /// The filter is gone, or its interface; nothing follows. Why, as a clause.
        case gone(String)
    }

    private let interface: Interface
    private let name: String
    private var routes: RouteSocket
    private var attachments: [XDPAttachment]
    private var rules: ReportedRules
    /// Of the rules before the last change: reports of theirs may still come.
    private var former: ReportedRules?
    private var ring: RingBuffer?
    private var ringID: UInt32?
    private var state: MapHandle?
    private var lostReports: UInt64 = 0

    /// How often it is looked whether the rules changed, in milliseconds. Of that nobody tells.
    private static let pace = 500
    /// So many reports at most come at once.
    private static let batch = 256

    /// Begins with the reports that wait already.
    ///
    /// - Parameter name: which filter; nil for the only one.
    public init(on interface: Interface, name: String? = nil) throws(XDPError) {
        let filter = try LiveFilter.find(on: interface, name: name)
        let what = "Reports of \(filter.name) on \(interface.name) cannot be followed"
        guard filter.mapID(of: .log) != nil else {
            throw XDPError(
                .refused, what, because: "none of its rules logs",
                remedy: "`xdpctl filter add \(interface.name) 'log tcp dport 22'` adds one that does")
        }
        var routes = try Self.socket(what)
        let attachments = try Self.attachments(of: interface, &routes, what)
        self.interface = interface
        self.name = filter.name
        rules = ReportedRules(filter)
        self.routes = routes
        self.attachments = attachments
        try open(filter, what)
    }

    private static func socket(_ what: String) throws(XDPError) -> RouteSocket {
        do throws(NetlinkError) {
            return try RouteSocket()
        } catch {
            throw XDPError(error, during: what)
        }
    }

    private static func attachments(
        of interface: Interface, _ routes: inout RouteSocket, _ what: String
    ) throws(XDPError) -> [XDPAttachment] {
        do throws(NetlinkError) {
            return try routes.link(index: interface.index).attachments
        } catch {
            throw XDPError(error, during: what)
        }
    }

    /// Waits for something to happen.
    ///
    /// - Parameter milliseconds: nil waits until something happens, or a signal comes.
    /// - Returns: empty when the time ran out, or a signal came.
    public func next(milliseconds: Int? = nil) throws(XDPError) -> [Event] {
        var left = milliseconds ?? .max
        while true {
            let step = min(left, Self.pace)
            let wasInterrupted = try wait(step)
            var events = try refresh()
            if case .gone? = events.last { return events }
            events += try readReports() + readLost()
            left -= step
            if !events.isEmpty || wasInterrupted || left <= 0 { return events }
        }
    }

    // MARK: - Reading

    /// Whether a signal came.
    private func wait(_ milliseconds: Int) throws(XDPError) -> Bool {
        var entry = pollfd(fd: Self.descriptor(of: ring), events: Int16(POLLIN), revents: 0)
        // poll(2) skips a negative descriptor.
        return poll(&entry, 1, Int32(clamping: milliseconds)) < 0
    }

    private static func descriptor(of ring: borrowing RingBuffer?) -> Int32 {
        switch ring {
        case .some(let ring): ring.fileDescriptor
        case .none: -1
        }
    }

    private func readReports() -> [Event] {
        guard ring != nil else { return [] }
        var events: [Event] = []
        let offset = WallClock.offset()
        let (rules, former) = (rules, former)
        ring?.read(atMost: Self.batch) { record in
            guard let report = LogReport(record) else { return }
            let known = rules[report.rule] ?? former?[report.rule]
            events.append(.report(RuleReport(report, of: known, at: WallClock(report.nanoseconds, offset))))
        }
        return events
    }

    private func readLost() throws(XDPError) -> [Event] {
        let now = try lostNow()
        // A page that was made anew begins at zero.
        let more = now >= lostReports ? now - lostReports : now
        lostReports = now
        return more > 0 ? [.lost(more)] : []
    }

    private func lostNow() throws(XDPError) -> UInt64 {
        guard let state else { return 0 }
        do throws(BPFError) {
            let page = try state.map.lookup([0, 0, 0, 0], valueSize: FilterState.size) ?? []
            return ByteReader(page).integer(at: FilterState.lostReports) ?? 0
        } catch {
            throw XDPError(error, during: "Lost reports of \(name) cannot be counted")
        }
    }

    // MARK: - Changes

    /// Looks whether the filter is another one now.
    private func refresh() throws(XDPError) -> [Event] {
        do throws(NetlinkError) {
            let now = try routes.link(index: interface.index).attachments
            guard now != attachments else { return [] }
            attachments = now
        } catch {
            guard error.errno.rawValue == ENODEV else {
                throw XDPError(error, during: "The interface \(interface.name) cannot be watched")
            }
            return readReports() + [.gone("\(interface.name) is gone")]
        }
        guard let filter = try find() else {
            return readReports() + [.gone("\(interface.name) has no filter \(name) any more")]
        }
        let new = ReportedRules(filter)
        let hasOtherRing = filter.mapID(of: .log) != ringID
        guard new != rules || hasOtherRing else { return [] }
        var events: [Event] = []
        if hasOtherRing {
            events += readReports()
            try open(filter, "Reports of \(name) on \(interface.name) cannot be followed")
        }
        if new != rules {
            events.append(.changed)
            former = rules
            rules = new
        }
        return events
    }

    /// The filter as it is now; nil where it is gone.
    private func find() throws(XDPError) -> LiveFilter? {
        do throws(XDPError) {
            return try LiveFilter.find(on: interface, name: name)
        } catch {
            guard error.kind == .refused else { throw error }
            return nil
        }
    }

    /// Opens the filter's ring; none where its rules do not log.
    private func open(_ filter: LiveFilter, _ what: String) throws(XDPError) {
        ring = nil
        ringID = filter.mapID(of: .log)
        do throws(BPFError) {
            if let ringID { ring = try RingBuffer(BPFMap(id: ringID)) }
            state = try filter.mapID(of: .state).map { id throws(BPFError) in try MapHandle(id: id) }
        } catch {
            guard error.errno == .resourceBusy else { throw XDPError(error, during: what) }
            throw XDPError(
                .refused, what, because: error.kernelMessage ?? error.description, remedy: error.remedy)
        }
        lostReports = try lostNow()
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import SystemPackage

/// What happened to an interface.
public enum FeatureEvent: Sendable, Hashable {
    case appeared(InterfaceFeatures)
    case changed(InterfaceFeatures, [FeatureChange])
    /// It was as given.
    case gone(InterfaceFeatures)
}

/// Tells when what the interfaces of a network namespace give to XDP changes.
///
/// The kernel tells of an interface's state by rtnetlink, and of what its driver can do by the `netdev` family (Linux
/// 6.3). On an older kernel nobody tells of what happens to the other end of a veth in another namespace.
public struct FeatureMonitor: ~Copyable {
    private var links: LinkMonitor
    private var netdev: NetdevMonitor?
    private var reader: FeatureReader
    /// What was read last, by index.
    private var known: [UInt32: InterfaceFeatures]

    /// How long to wait for what else belongs to a change, in milliseconds: new interfaces come in several steps.
    private static let settling: UInt32 = 20

    /// Watches the calling thread's network namespace from now on.
    public init() throws(XDPError) {
        do throws(NetlinkError) {
            // The monitors first, so that nothing is missed between.
            let links = try LinkMonitor()
            let netdev = try NetdevMonitor.whereKnown()
            var reader = try FeatureReader()
            let all = try reader.all()
            known = Dictionary(uniqueKeysWithValues: all.map { ($0.index, $0) })
            self.links = links
            self.netdev = netdev
            self.reader = reader
        } catch {
            throw XDPError(error, during: "The interfaces cannot be watched")
        }
    }

    /// The interfaces as they were read last, by index.
    public var interfaces: [InterfaceFeatures] {
        known.values.sorted { $0.index < $1.index }
    }

    /// Waits until something is different.
    ///
    /// - Parameter timeoutMilliseconds: nil waits for ever.
    /// - Returns: what happened; empty when the time ran out, or when nothing that matters did.
    public mutating func next(timeoutMilliseconds: Int? = nil) throws(XDPError) -> [FeatureEvent] {
        do throws(NetlinkError) {
            guard wait(timeoutMilliseconds) else { return [] }
            usleep(Self.settling * 1000)
            guard let touched = try drained() else { return try compare(with: reader.all()) }
            var events: [FeatureEvent] = []
            for index in affected(by: touched).sorted() {
                if let event = try look(at: index) { events.append(event) }
            }
            return events
        } catch {
            throw XDPError(error, during: "The interfaces cannot be watched")
        }
    }

    private mutating func wait(_ timeout: Int?) -> Bool {
        // poll(2) skips a negative descriptor.
        var polls = [links.fileDescriptor, Self.descriptor(of: netdev)].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        return poll(&polls, nfds_t(polls.count), timeout.map { Int32(clamping: $0) } ?? -1) > 0
    }

    private static func descriptor(of monitor: borrowing NetdevMonitor?) -> CInt {
        switch monitor {
        case .some(let monitor): monitor.fileDescriptor
        case .none: -1
        }
    }

    /// The interfaces that were spoken of; nil where messages were lost, so that all have to be read.
    private mutating func drained() throws(NetlinkError) -> Set<UInt32>? {
        var touched: Set<UInt32> = []
        var isComplete = true
        do throws(NetlinkError) {
            while let event = try links.next(timeoutMilliseconds: 0) { touched.insert(event.link.index) }
        } catch {
            guard error.errno == .noBufferSpace else { throw error }
            isComplete = false
        }
        do throws(NetlinkError) {
            while let event = try netdev?.next(timeoutMilliseconds: 0) { touched.insert(event.device.index) }
        } catch {
            guard error.errno == .noBufferSpace else { throw error }
            isComplete = false
        }
        return isComplete ? touched : nil
    }

    /// With an interface also the other end of a veth, and the bond that it is a port of.
    private func affected(by touched: Set<UInt32>) -> Set<UInt32> {
        let others = known.values.filter { features in
            if features.kind == "bond" { return true }
            guard let peer = features.peer, !peer.isElsewhere else { return false }
            return touched.contains(peer.index)
        }
        return touched.union(others.map(\.index))
    }

    private mutating func look(at index: UInt32) throws(NetlinkError) -> FeatureEvent? {
        do throws(NetlinkError) {
            return record(try reader.features(of: index))
        } catch {
            guard error.errno == .noSuchDevice else { throw error }
            return known.removeValue(forKey: index).map { .gone($0) }
        }
    }

    private mutating func compare(with all: [InterfaceFeatures]) throws(NetlinkError) -> [FeatureEvent] {
        let left = Set(all.map(\.index))
        let gone = known.values.filter { !left.contains($0.index) }.sorted { $0.index < $1.index }
        for features in gone { known[features.index] = nil }
        return gone.map { .gone($0) } + all.compactMap { record($0) }
    }

    private mutating func record(_ features: InterfaceFeatures) -> FeatureEvent? {
        guard let before = known.updateValue(features, forKey: features.index) else {
            return .appeared(features)
        }
        let changes = features.changes(since: before)
        return changes.isEmpty ? nil : .changed(features, changes)
    }
}

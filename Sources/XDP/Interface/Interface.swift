// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink

/// A network interface in the network namespace of the calling thread.
public struct Interface: Sendable, Hashable {
    public let link: Link

    public var name: String { link.name }
    public var index: UInt32 { link.index }

    /// Finds an interface by its name.
    public init(named name: String) throws(XDPError) {
        do throws(NetlinkError) {
            var socket = try RouteSocket()
            link = try socket.link(named: name)
        } catch {
            let isMissing = error.errno.rawValue == 19
            throw XDPError(
                isMissing ? .invalid : .failed, "\(name) cannot be looked up",
                because: isMissing ? "there is no interface of that name" : error.description,
                remedy: isMissing
                    ? "`ip link` lists those of this network namespace; --netns looks in another one" : nil)
        }
    }

    init(_ link: Link) {
        self.link = link
    }

    /// All interfaces, by index.
    public static func all() throws(XDPError) -> [Interface] {
        do throws(NetlinkError) {
            var socket = try RouteSocket()
            return try socket.links().map { Interface($0) }
        } catch {
            throw XDPError(error, during: "The interfaces cannot be listed")
        }
    }

    /// The same interface as it is now; nil if it is gone. It may have another name.
    func refreshed() throws(XDPError) -> Interface? {
        do throws(NetlinkError) {
            var socket = try RouteSocket()
            return Interface(try socket.link(index: index))
        } catch {
            if error.errno.rawValue == 19 { return nil }
            throw XDPError(error, during: "\(name) cannot be looked up")
        }
    }

    /// What runs on it. Needs CAP_SYS_ADMIN if something does.
    ///
    /// The interface says a program's id, and by the time the id is looked up the program may have been
    /// exchanged and gone: then the interface is asked again, or a chain under change would look like none.
    public func occupant() throws(XDPError) -> Occupant {
        let what = "What runs on \(name) cannot be read"
        var current = self
        for _ in 0..<1000 {
            do throws(BPFError) {
                if let occupant = try OccupantReader.read(current.link.attachments) { return occupant }
            } catch {
                throw XDPError(error, during: what)
            }
            guard let next = try refreshed() else { return .none }
            current = next
        }
        throw XDPError(.failed, what, because: "its program changes faster than it can be looked at")
    }
}

extension AttachMode {
    /// The same mode in netlink's words.
    var netlinkMode: XDPMode {
        switch self {
        case .native: .native
        case .generic: .generic
        case .offload: .offload
        }
    }

    init(_ mode: XDPMode) {
        switch mode {
        case .generic: self = .generic
        case .offload: self = .offload
        case .native, .unspecified: self = .native
        }
    }
}

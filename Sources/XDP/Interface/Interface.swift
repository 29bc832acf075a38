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
                .failed, "\(name) cannot be looked up",
                because: isMissing ? "there is no interface of that name" : error.description,
                remedy: isMissing
                    ? "`ip link` lists those of this network namespace; --netns looks in another one" : nil)
        }
    }

    package init(_ link: Link) {
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
    package func refreshed() throws(XDPError) -> Interface? {
        do throws(NetlinkError) {
            var socket = try RouteSocket()
            return Interface(try socket.link(index: index))
        } catch {
            if error.errno.rawValue == 19 { return nil }
            throw XDPError(error, during: "\(name) cannot be looked up")
        }
    }

    /// What runs on it now. Needs CAP_SYS_ADMIN if something does.
    ///
    /// A chain that is being changed is looked at again until it stands still for a moment; an interface that
    /// is gone runs nothing.
    public func occupant() throws(XDPError) -> Occupant {
        var current: Interface? = self
        for _ in 0..<1000 {
            guard let interface = current else { return .none }
            do throws(BPFError) {
                if let found = try OccupantReader.read(
                    interface.link.attachments, of: interface.index)
                {
                    return found
                }
            } catch {
                throw XDPError(error, during: "What runs on \(name) cannot be read")
            }
            current = try refreshed()
        }
        throw XDPError(
            .failed, "What runs on \(name) cannot be read",
            because: "it changes faster than it can be looked at",
            remedy: "Try again")
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

    /// From netlink's words.
    public init(_ mode: XDPMode) {
        switch mode {
        case .generic: self = .generic
        case .offload: self = .offload
        case .native, .unspecified: self = .native
        }
    }
}

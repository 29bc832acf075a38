// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// The `ethtool` family of generic netlink, in one network namespace. Linux 5.8.
///
/// Every question throws `EOPNOTSUPP` where the driver does not answer it, `ENODEV` where there is no such interface.
public struct EthtoolSocket: ~Copyable, Sendable {
    private var generic: GenericNetlink
    private let family: UInt16

    /// Opens a socket in the calling thread's network namespace.
    ///
    /// Throws `ENOENT` where this kernel has no such family.
    public init() throws(NetlinkError) {
        var generic = try GenericNetlink()
        family = try generic.family(named: ETHTOOL_GENL_NAME).id
        self.generic = generic
    }

    /// Opens a socket as ``init()``; nil where this kernel has no such family.
    public static func whereKnown() throws(NetlinkError) -> EthtoolSocket? {
        do throws(NetlinkError) {
            return try EthtoolSocket()
        } catch {
            if error.errno == .noSuchFileOrDirectory { return nil }
            throw error
        }
    }

    /// The offloads.
    public mutating func offloads(of index: UInt32) throws(NetlinkError) -> Offloads {
        Offloads(
            try ask(
                ETHTOOL_MSG_FEATURES_GET, header: ETHTOOL_A_FEATURES_HEADER, about: index,
                operation: "ask for the offloads"))
    }

    /// The queues.
    public mutating func channels(of index: UInt32) throws(NetlinkError) -> Channels {
        Channels(
            try ask(
                ETHTOOL_MSG_CHANNELS_GET, header: ETHTOOL_A_CHANNELS_HEADER, about: index,
                operation: "ask for the queues"))
    }

    /// The sizes of the rings.
    public mutating func rings(of index: UInt32) throws(NetlinkError) -> Rings {
        Rings(
            try ask(
                ETHTOOL_MSG_RINGS_GET, header: ETHTOOL_A_RINGS_HEADER, about: index,
                operation: "ask for the sizes of the rings"))
    }

    private mutating func ask(
        _ command: Int, header: Int, about index: UInt32, operation: String
    ) throws(NetlinkError) -> Attributes {
        let subject = "interface with index \(index)"
        let replies = try generic.request(
            family, command: UInt8(truncatingIfNeeded: command), operation: operation,
            subject: subject
        ) { message in
            message.nest(header) {
                $0.attribute(ETHTOOL_A_HEADER_DEV_INDEX, uint32: index)
            }
        }
        guard let reply = replies.first else {
            throw NetlinkError(operation: operation, subject: subject, errno: .badMessage)
        }
        return reply.attributes
    }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF

/// A family of generic netlink, such as `netdev` or `ethtool`, as the kernel describes it.
public struct GenericFamily: Hashable, Sendable {
    /// The name.
    public var name: String
    /// The number that this kernel gave it: the type of its messages.
    public var id: UInt16
    /// The version of the family.
    public var version: UInt32
    /// The groups that notifications go to: name and number.
    public var multicastGroups: [String: UInt32] = [:]
    /// What can be asked of it. What the kernel lists for the caller; a command that is missing is not
    /// supported.
    public var operations: [Operation] = []

    /// A command of a family.
    public struct Operation: Hashable, Sendable {
        /// The command's number.
        public var command: UInt32
        /// `GENL_ADMIN_PERM`, `GENL_CMD_CAP_DO`, `GENL_CMD_CAP_DUMP`, ….
        public var flags: UInt32
    }

    /// Reads the attributes `CTRL_ATTR_…` (`linux/genetlink.h`) of `CTRL_CMD_NEWFAMILY`; nil without number
    /// or name.
    public init?(_ attributes: Attributes) {
        guard let id = attributes[CTRL_ATTR_FAMILY_ID]?.uint16,
            let name = attributes[CTRL_ATTR_FAMILY_NAME]?.string
        else { return nil }
        self.id = id
        self.name = name
        version = attributes[CTRL_ATTR_VERSION]?.uint32 ?? 0
        // Lists are attributes numbered from 1 in an attribute.
        for group in attributes[CTRL_ATTR_MCAST_GROUPS]?.nested ?? Attributes([]) {
            if let name = group.nested[CTRL_ATTR_MCAST_GRP_NAME]?.string,
                let id = group.nested[CTRL_ATTR_MCAST_GRP_ID]?.uint32
            {
                multicastGroups[name] = id
            }
        }
        for operation in attributes[CTRL_ATTR_OPS]?.nested ?? Attributes([]) {
            if let command = operation.nested[CTRL_ATTR_OP_ID]?.uint32,
                let flags = operation.nested[CTRL_ATTR_OP_FLAGS]?.uint32
            {
                operations.append(Operation(command: command, flags: flags))
            }
        }
    }
}

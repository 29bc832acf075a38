// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// Tells when programs are attached to interfaces of the calling thread's network namespace, exchanged or taken off.
///
/// The kernel tells nobody of what bpf_links do, so this looks each time it is asked; what came and went between two looks is not
/// seen.
public struct AttachmentWatch: Sendable {
    /// What was different from the look before.
    public struct Event: Sendable, Hashable {
        public enum Kind: String, Sendable, Hashable, CaseIterable {
            case attached
            case changed
            case detached
        }

        public var kind: Kind
        public var interface: String
        public var index: UInt32
        /// The kernel's ids of the programs; 0 for none.
        public var before: UInt32
        public var after: UInt32
    }

    private let interfaces: Set<UInt32>?
    private var known: [UInt32: (name: String, program: UInt32)] = [:]

    /// - Parameter interfaces: indices of those that matter; nil for all.
    public init(_ interfaces: Set<UInt32>? = nil) throws(XDPError) {
        self.interfaces = interfaces
        known = try look()
    }

    private func look() throws(XDPError) -> [UInt32: (name: String, program: UInt32)] {
        var found: [UInt32: (name: String, program: UInt32)] = [:]
        for interface in try Interface.all() where interfaces?.contains(interface.index) ?? true {
            found[interface.index] = (interface.name, interface.link.xdp?.programID ?? 0)
        }
        return found
    }

    /// What is different since the last time. An interface that is gone took its program with it.
    public mutating func changes() throws(XDPError) -> [Event] {
        let now = try look()
        defer { known = now }
        return Self.changes(from: known, to: now)
    }

    static func changes(
        from before: [UInt32: (name: String, program: UInt32)],
        to after: [UInt32: (name: String, program: UInt32)]
    ) -> [Event] {
        Set(before.keys).union(after.keys).sorted().compactMap { index in
            let old = before[index]?.program ?? 0
            let new = after[index]?.program ?? 0
            guard old != new else { return nil }
            return Event(
                kind: old == 0 ? .attached : new == 0 ? .detached : .changed,
                interface: after[index]?.name ?? before[index]?.name ?? "", index: index, before: old,
                after: new)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// A pin or a directory in a BPF file system that others than its owner can get at.
public struct PinFact: Sendable, Hashable {
    public enum Audience: Sendable, Hashable {
        case group, everybody
    }

    public var path: String
    /// The permission bits, with set-id and sticky bits.
    public var mode: UInt32
    public var userID: UInt32
    public var groupID: UInt32
    public var isDirectory: Bool
    /// Who can get as far as here: the directories above let them through.
    public var reachableBy: Set<Audience>

    public init(
        path: String, mode: UInt32, userID: UInt32 = 0, groupID: UInt32 = 0, isDirectory: Bool = false,
        reachableBy: Set<Audience> = [.group, .everybody]
    ) {
        self.path = path
        self.mode = mode
        self.userID = userID
        self.groupID = groupID
        self.isDirectory = isDirectory
        self.reachableBy = reachableBy
    }

    /// Who can use it beside its owner: open a pin, or make and remove pins in a directory; nil for nobody.
    ///
    /// A sticky directory lets others remove only what is theirs, as `/tmp` does.
    public var openTo: Audience? {
        if isDirectory, mode & 0o1000 != 0 { return nil }
        let bits: UInt32 = isDirectory ? 0o2 : 0o6
        if mode & bits != 0, reachableBy.contains(.everybody) { return .everybody }
        if mode >> 3 & bits != 0, reachableBy.contains(.group) { return .group }
        return nil
    }

    /// "-rw-rw-rw-", without the type; four octal digits are clearer for few.
    var octal: String {
        let digits = String(mode & 0o7777, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

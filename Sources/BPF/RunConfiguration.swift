// SPDX-License-Identifier: Apache-2.0

/// What a program says of its place in a chain, in the section `.xdp_run_config` (libxdp's convention).
///
/// The section holds a variable `_FUNCTION` per program, of a structure whose members are pointers to
/// arrays; the length of the array is the value. `priority` orders programs, lower first; a member named
/// after a verdict says whether the next program runs after that verdict.
public struct RunConfiguration: Hashable, Sendable {
    /// Where the program wants to stand: lower runs earlier. 50 where nothing is said.
    public var priority: UInt32
    /// The verdict codes (`enum xdp_action`) after which the next program runs.
    public var continuingVerdicts: Set<UInt32>

    /// What libxdp assumes for a program that says nothing.
    public static let standard = RunConfiguration(priority: 50, continuingVerdicts: [2])

    public init(priority: UInt32, continuingVerdicts: Set<UInt32>) {
        self.priority = priority
        self.continuingVerdicts = continuingVerdicts
    }

    /// Reads the configuration of one program; nil where the object has none for it.
    init?(of function: String, in btf: BTFView) {
        guard let section = btf.dataSection(".xdp_run_config"),
            let variable = btf.members(of: section).first(where: { $0.name == "_" + function })
        else { return nil }
        let verdicts: [String: UInt32] = [
            "XDP_ABORTED": 0, "XDP_DROP": 1, "XDP_PASS": 2, "XDP_TX": 3, "XDP_REDIRECT": 4,
        ]
        var priority: UInt32 = 50
        // A verdict that is not mentioned keeps its default, as in libxdp.
        var continuing = Self.standard.continuingVerdicts
        for member in btf.members(of: btf.resolved(variable.type)) {
            guard let value = Self.value(of: member.type, in: btf) else { continue }
            if member.name == "priority" {
                priority = value
            } else if let verdict = verdicts[member.name] {
                if value != 0 { continuing.insert(verdict) } else { continuing.remove(verdict) }
            }
        }
        self.priority = priority
        self.continuingVerdicts = continuing
    }

    private static func value(of type: UInt32, in btf: BTFView) -> UInt32? {
        let pointer = btf.resolved(type)
        guard btf.kind(pointer) == 2, let target = btf.type(pointer)?.pointee.type else { return nil }
        return btf.array(btf.resolved(target))?.count
    }
}

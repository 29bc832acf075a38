// SPDX-License-Identifier: Apache-2.0

/// What changed about what an interface gives.
public struct FeatureChange: Sendable, Hashable {
    /// By the name of ``InterfaceFeatures/names``, or "name", "mtu", "queues", an offload.
    public var what: String
    /// Nil where there was none.
    public var before: String?
    /// Nil where there is none now.
    public var after: String?
}

extension InterfaceFeatures {
    /// What differs from what it was, in the order of ``names``; what is only why something is unknown does not.
    public func changes(since before: InterfaceFeatures) -> [FeatureChange] {
        let names = Self.names.map { ($0, before.support(of: $0)?.word, support(of: $0)?.word) }
        let offloads = Set(before.offloads.keys).union(offloads.keys).sorted().map {
            ($0, before.offloads[$0].map(Self.word), self.offloads[$0].map(Self.word))
        }
        let others: [(String, String?, String?)] = [
            ("name", before.name, name), ("mtu", "\(before.mtu)", "\(mtu)"),
            ("queues", before.queues?.words, queues?.words),
        ]
        return (names + others + offloads).filter { $0.1 != $0.2 }
            .map { FeatureChange(what: $0.0, before: $0.1, after: $0.2) }
    }

    private static func word(_ isOn: Bool) -> String { isOn ? "on" : "off" }
}

extension InterfaceFeatures.Queues {
    /// Those in use: "4", or "2 receive, 1 transmit".
    public var words: String {
        var parts: [String] = []
        if combined > 0 { parts.append("\(combined)") }
        if receive > 0 { parts.append("\(receive) receive") }
        if transmit > 0 { parts.append("\(transmit) transmit") }
        return parts.isEmpty ? "none" : parts.joined(separator: ", ")
    }
}

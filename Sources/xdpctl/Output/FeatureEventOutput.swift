// SPDX-License-Identifier: Apache-2.0
import XDP

/// A line of `xdpctl features --watch`. Documentation/json.md describes the fields.
struct FeatureEventOutput: Encodable {
    /// What changed from what to what.
    struct Change: Encodable {
        let what: String
        let before: String?
        let after: String?
    }

    var format = 1
    /// "watching", "appeared", "changed", "gone".
    let event: String
    let interface: String?
    let index: UInt32?
    let changes: [Change]?
    /// The names that are watched, with "watching".
    let interfaces: [String]?

    /// The first line: from now on nothing is missed.
    init(watching interfaces: [String]) {
        event = "watching"
        self.interfaces = interfaces
        interface = nil
        index = nil
        changes = nil
    }

    init(_ happened: FeatureEvent) {
        let features: InterfaceFeatures
        interfaces = nil
        switch happened {
        case .appeared(let new):
            event = "appeared"
            features = new
            changes = nil
        case .gone(let old):
            event = "gone"
            features = old
            changes = nil
        case .changed(let now, let differences):
            event = "changed"
            features = now
            changes = differences.map { Change(what: $0.what, before: $0.before, after: $0.after) }
        }
        interface = features.name
        index = features.index
    }

    /// What the interface is and was called.
    var names: [String] {
        [interface].compactMap { $0 } + (changes ?? []).filter { $0.what == "name" }.compactMap(\.before)
    }

    /// For people.
    var text: String {
        switch event {
        case "watching": "watching \(interfaces?.joined(separator: ", ") ?? "")"
        case "appeared": "\(interface ?? ""): is there now"
        case "gone": "\(interface ?? ""): is gone"
        default: "\(interface ?? ""): " + (changes ?? []).map(Self.text).joined(separator: "; ")
        }
    }

    private static func text(_ change: Change) -> String {
        "\(change.what) \(change.before ?? "none") → \(change.after ?? "none")"
    }
}

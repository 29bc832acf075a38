// SPDX-License-Identifier: Apache-2.0

// Why packets cannot be redirected to an interface, and what to do: the checks before a change say it, and what watches packets
// afterwards.
extension InterfaceFeatures {
    /// Why it takes no packets from programs; only of one that does not.
    public var withoutTransmitReason: String {
        switch kind {
        case "veth": "\(name) (veth) has no ndo-xmit: its other end has neither an XDP program nor GRO"
        case let kind?: "\(name) (\(kind)) has no ndo-xmit: such interfaces take no packets from XDP"
        case nil: "\(name)\(driver.map { " (\($0.name))" } ?? "") has no ndo-xmit"
        }
    }

    /// What makes it take packets, or avoids the need.
    ///
    /// - Parameter generic: how to come to generic mode, in which every interface takes packets.
    public func withoutTransmitRemedy(orGeneric generic: String) -> String {
        switch kind {
        case "veth": [peerRemedy, generic].compactMap(\.self).joined(separator: ", or ")
        case _?: "Redirect to the interface below it, or \(generic)"
        case nil:
            "Many drivers take packets only with an XDP program of their own: load one on \(name), or \(generic)"
        }
    }

    /// What makes the peer of this veth take packets from programs; nil where it does, or this is none.
    public var peerRemedy: String? {
        obstacles.first { $0.rule == InterfaceObstacles.peerNAPI }?.remedy
    }
}

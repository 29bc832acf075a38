// SPDX-License-Identifier: Apache-2.0

/// How a program of others and a chain come together on an interface.
enum AdoptionHint {
    static func text(_ interface: String) -> String {
        "to join: `xdpctl adopt \(interface)` makes it a member of a chain"
    }
}

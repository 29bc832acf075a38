// SPDX-License-Identifier: Apache-2.0

/// What the chain counts for each member and verdict.
public enum CounterMode: String, Sendable, Hashable, Codable, CaseIterable {
    case off
    /// How many packets.
    case packets
    /// How many packets, and their bytes as the member left them.
    case bytes
}

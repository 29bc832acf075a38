// SPDX-License-Identifier: Apache-2.0
import Foundation

/// How much the tests do that draw their cases at random. Emulated machines are asked for less.
enum Amount {
    /// Seeds of each property; `XDP_SEEDS` says how many.
    static let seeds = 0..<UInt64(number("XDP_SEEDS") ?? 12)
    /// Chains of which the verifier's work is taken; `XDP_CHAINS` says how many.
    static let chains = number("XDP_CHAINS") ?? 60

    /// Packets for each fixture whose verdicts are held against the analysis; `XDP_PACKETS` says how many.
    static let packets = number("XDP_PACKETS") ?? 400

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// Reads rule files.
enum RuleInput {
    /// The rules of a file; of standard input for `-`.
    static func rules(_ path: String) throws(XDPError) -> RuleSet {
        try RuleFile.parse(try bytes(path), file: path == "-" ? "standard input" : path)
    }

    static func bytes(_ path: String) throws(XDPError) -> [UInt8] { try RuleFile.bytes(of: path) }
}

// SPDX-License-Identifier: Apache-2.0

/// What `/proc/PID/fdinfo/N` says of a descriptor: lines of a name, a colon and a value. Of a program it has
/// `prog_id`, of a link `link_id` and the `prog_id` of what it holds.
package struct DescriptorRecord: Hashable {
    package private(set) var programID: UInt32?
    package private(set) var linkID: UInt32?

    /// Reads the lines; the first of each name counts.
    package init(_ bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            if parts[0].elementsEqual("prog_id".utf8), programID == nil {
                programID = UInt32(String(decoding: value, as: UTF8.self))
            } else if parts[0].elementsEqual("link_id".utf8), linkID == nil {
                linkID = UInt32(String(decoding: value, as: UTF8.self))
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc

/// One mount, as `/proc/PID/mountinfo` tells it.
///
/// | Field (proc_pid_mountinfo(5)) | Here |
/// |---|---|
/// | 1, 2 number, number of the parent | – |
/// | 3 major:minor of the device | `device` |
/// | 4 what of the file system is mounted: a directory, or `net:[4026532000]` | `root` |
/// | 5 where, seen from the process | `path` |
/// | 6 options, then any number of others, then `-` | – |
/// | file system, source, options | `fileSystem` |
///
/// Space, tab, newline and backslash are written as `\` and three octal digits.
public struct Mount: Sendable, Hashable {
    public let device: String
    public let root: String
    public let path: String
    public let fileSystem: String

    init?(line: Substring) {
        let fields = line.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count >= 10, let dash = fields.dropFirst(6).firstIndex(of: "-"), dash + 1 < fields.count
        else { return nil }
        device = String(fields[2])
        root = Self.unescaped(fields[3])
        path = Self.unescaped(fields[4])
        fileSystem = String(fields[dash + 1])
    }

    /// The mounts that a process sees: "self", or a number. Empty where they cannot be read.
    public static func all(of process: String) -> [Mount] {
        all(in: SmallFile.bytes(of: "/proc/\(process)/mountinfo"))
    }

    /// The mounts in the text of a `mountinfo`; lines that are no mounts are left out.
    public static func all(in bytes: [UInt8]) -> [Mount] {
        String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Mount(line: $0) }
    }

    private static func unescaped(_ text: Substring) -> String {
        guard text.utf8.contains(UInt8(ascii: "\\")) else { return String(text) }
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let code = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

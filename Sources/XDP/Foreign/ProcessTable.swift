// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc

/// The processes that this one can see, from /proc. They come and go while one looks; whatever has gone is left out.
package enum ProcessTable {
    /// The numbers of all processes, ascending.
    package static func all() -> [Int32] {
        names(in: "/proc").compactMap { Int32($0) }.sorted()
    }

    /// The descriptors of a process that stand for BPF objects; nil if they may not be looked at.
    static func descriptorsOfBPF(_ process: Int32) -> [String]? {
        let directory = "/proc/\(process)/fd"
        guard let stream = opendir(directory) else { return isForbidden(process) ? nil : [] }
        defer { closedir(stream) }
        var found: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var target = [CChar](repeating: 0, count: 24)
            let count = readlink("\(directory)/\(name)", &target, target.count)
            // The names may be listed where what they stand for may not be seen.
            if count < 0, isForbidden(process) { return nil }
            // anon_inode:bpf-prog, anon_inode:bpf_link
            guard count > 0, target.prefix(count).map({ UInt8(bitPattern: $0) }).starts(with: Self.mark)
            else { continue }
            found.append(name)
        }
        return found
    }

    /// Whether the last call said that a process may not be looked into. The kernel also says so of one that ended
    /// a moment ago.
    static func isForbidden(_ process: Int32) -> Bool {
        (errno == EACCES || errno == EPERM) && access("/proc/\(process)", F_OK) == 0
    }

    private static let mark = Array("anon_inode:bpf".utf8)

    /// What a process is called. The kernel keeps 15 bytes; the whole name is taken from the command line, if
    /// that goes on the same way.
    package static func command(of process: Int32) -> String {
        var short = SmallFile.bytes(of: "/proc/\(process)/comm", limit: 64)
        if short.last == UInt8(ascii: "\n") { short.removeLast() }
        if short.count == 15 {
            let line = SmallFile.bytes(of: "/proc/\(process)/cmdline", limit: 4096)
            let name = line.prefix { $0 != 0 }.split(separator: UInt8(ascii: "/")).last ?? []
            if name.starts(with: short) { short = Array(name) }
        }
        return String(decoding: short, as: UTF8.self)
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) {
                    String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names
    }
}

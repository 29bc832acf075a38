// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The mount namespace of process 1, seen from this process.
///
/// The link `/proc/1/ns/mnt` would say which one it is, but in containers and sandboxes process 1 may be out
/// of reach even for root. The list of its mounts is readable by everybody, and no two namespaces have a
/// mount of the same number.
struct InitialMounts {
    private let initial: Set<Substring>
    private let own: Set<Substring>

    init() {
        initial = Self.mounts(of: "1")
        own = Self.mounts(of: "self")
    }

    /// Whether this process is in that namespace; nil where it cannot be told.
    var isOwn: Bool? {
        initial.isEmpty || own.isEmpty ? nil : !initial.isDisjoint(with: own)
    }

    /// Paths that may lead from this process's namespace to a path of the initial one: through process 1, or
    /// where that is out of reach through an ancestor that is in its namespace.
    func ways(to path: String) -> [String] {
        var ways = ["/proc/1/root" + path]
        var process = getppid()
        while process > 1 {
            if !Self.mounts(of: String(process)).isDisjoint(with: initial) {
                ways.append("/proc/\(process)/root" + path)
            }
            guard let parent = Self.parent(of: process), parent != process else { break }
            process = parent
        }
        return ways
    }

    /// The numbers of a process's mounts: the first column of `mountinfo`.
    private static func mounts(of process: String) -> Set<Substring> {
        Set(text(of: "/proc/\(process)/mountinfo").split(separator: "\n").map { $0.prefix { $0 != " " } })
    }

    /// The fourth field of `stat`; the second one, the name, may have spaces and parentheses.
    private static func parent(of process: Int32) -> Int32? {
        let text = text(of: "/proc/\(process)/stat")
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    private static func text(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer.prefix(count)
        }
    }
}

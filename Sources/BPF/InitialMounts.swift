// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The mount namespace of process 1, seen from this process.
///
/// The link `/proc/1/ns/mnt` says which one it is, but in containers and sandboxes process 1 may be out of
/// reach even for root. The list of its mounts is readable by everybody, and no two namespaces have a mount of
/// the same number.
struct InitialMounts {
    /// Whether this process is in that namespace; nil where it cannot be told.
    let isOwn: Bool?

    init() {
        var own = stat()
        var initial = stat()
        if stat("/proc/self/ns/mnt", &own) == 0, stat("/proc/1/ns/mnt", &initial) == 0 {
            isOwn = own.st_ino == initial.st_ino && own.st_dev == initial.st_dev
        } else {
            isOwn = Self.shareMounts("self", "1")
        }
    }

    /// Whether two processes see the same mounts; nil where it cannot be told.
    private static func shareMounts(_ one: String, _ other: String) -> Bool? {
        let first = mounts(of: one)
        let second = mounts(of: other)
        return first.isEmpty || second.isEmpty ? nil : !first.isDisjoint(with: second)
    }

    /// Paths that may lead from this process's namespace to a path of the initial one: through process 1, or
    /// where that is out of reach through an ancestor that is in its namespace.
    func ways(to path: String) -> [String] {
        var ways = ["/proc/1/root" + path]
        var process = getppid()
        while process > 1 {
            if Self.shareMounts(String(process), "1") == true {
                ways.append("/proc/\(process)/root" + path)
            }
            guard let parent = Self.parent(of: process), parent != process else { break }
            process = parent
        }
        return ways
    }

    /// The numbers of a process's mounts: the first column of `mountinfo`.
    private static func mounts(of process: String) -> Set<Int> {
        var numbers: Set<Int> = []
        var number: Int? = 0
        for byte in SmallFile.bytes(of: "/proc/\(process)/mountinfo") {
            switch byte {
            case UInt8(ascii: "\n"): number = 0
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                number = number.map { ($0 &* 10) &+ Int(byte - UInt8(ascii: "0")) }
            default:
                if let number { numbers.insert(number) }
                number = nil
            }
        }
        return numbers
    }

    /// The fourth field of `stat`; the second one, the name, may have spaces and parentheses.
    private static func parent(of process: Int32) -> Int32? {
        let text = String(decoding: SmallFile.bytes(of: "/proc/\(process)/stat"), as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }
}

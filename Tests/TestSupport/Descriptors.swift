// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The file descriptors of this process, for tests that something is closed again:
///
///     let before = Descriptors.open()
///     …
///     #expect(Descriptors.open() == before)
///
/// They belong to the process, not to a test: such tests must not run beside others.
public enum Descriptors {
    /// Every open descriptor with what it stands for: `"7 anon_inode:bpf-map"`.
    public static func open() -> Set<String> {
        guard let directory = opendir("/proc/self/fd") else { return [] }
        defer { closedir(directory) }
        var found: Set<String> = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let descriptor = Int32(name), descriptor != dirfd(directory) else { continue }
            found.insert("\(descriptor) \(target(of: descriptor))")
        }
        return found
    }

    /// What the link of a descriptor says: a path, `socket:[123]`, or `anon_inode:bpf-prog`.
    private static func target(of descriptor: Int32) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
        return String(decoding: buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

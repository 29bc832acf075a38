// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A file outside the package that goes with this value.
final class TemporaryFile: Sendable {
    let path: String

    /// A file with these bytes.
    init(_ bytes: [UInt8], name: String? = nil) throws {
        path = "/tmp/" + (name ?? "xdp-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max)).o")
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Subprocess.Failure(what: "create \(path)") }
        defer { close(descriptor) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
            }
            guard count > 0 else { throw Subprocess.Failure(what: "write \(path)") }
            written += count
        }
    }

    convenience init(
        copying original: String, name: String? = nil, change: (inout [UInt8]) -> Void = { _ in }
    ) throws {
        var bytes = try Self.contents(of: original)
        change(&bytes)
        try self.init(bytes, name: name)
    }

    deinit { unlink(path) }

    func delete() { unlink(path) }

    static func contents(of path: String) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Subprocess.Failure(what: "open \(path)") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return bytes }
            bytes += buffer.prefix(count)
        }
    }
}

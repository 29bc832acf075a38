// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Reads an object file whole, so that what is digested is what is loaded.
package enum ObjectBytes {
    /// No BPF object comes near it.
    private static let limit = 256 << 20

    static func read(_ path: String) throws(XDPError) -> [UInt8] {
        // A pipe without a writer must not hang, and a device is no object.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure(path, Errno(rawValue: errno).description) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0 else {
            throw failure(path, Errno(rawValue: errno).description)
        }
        guard information.st_mode & S_IFMT == S_IFREG else { throw failure(path, "it is not a regular file") }
        guard information.st_size <= limit else { throw failure(path, "it is larger than 256 MiB") }
        var bytes = [UInt8](repeating: 0, count: Int(information.st_size))
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            filled += count
        }
        guard filled == bytes.count else { throw failure(path, "it changed while it was read") }
        return bytes
    }

    private static func failure(_ path: String, _ why: String) -> XDPError {
        XDPError(.failed, "\(path) cannot be read", because: why)
    }

    /// The path from the root, so that it means the same to everybody who reads it later.
    package static func absolute(_ path: String) -> String {
        guard let resolved = realpath(path, nil) else { return path }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}

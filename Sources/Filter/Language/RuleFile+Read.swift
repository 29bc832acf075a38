// SPDX-License-Identifier: Apache-2.0
import Glibc
import XDP

extension RuleFile {
    /// The bytes of a file; of standard input where the path is `-`. No more than ``largestText`` and one, which
    /// ``parse(_:file:)`` refuses.
    public static func read(_ path: String) throws(XDPError) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path) }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= largestText {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw unreadable(path) }
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        return bytes
    }

    private static func unreadable(_ path: String) -> XDPError {
        XDPError(
            .failed, "\(path == "-" ? "Standard input" : path) cannot be read",
            because: String(cString: strerror(errno)))
    }
}

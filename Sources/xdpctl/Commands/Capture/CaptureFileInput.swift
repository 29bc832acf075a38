// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import XDP

/// A capture file that is read piece by piece; `-` is standard input.
final class CaptureFileInput {
    /// For messages.
    let name: String
    private let descriptor: Int32
    private let isOwned: Bool
    private let remedy: String?
    /// Asked again and again while bytes are not there yet; false: none are wanted any more.
    var shallWait: () throws(XDPError) -> Bool = { true }

    private static let piece = 1 << 16
    /// So long at most nobody is asked, in milliseconds.
    private static let patience: Int32 = 500

    /// - Parameter remedy: what to do if there is no such file.
    init(_ path: String, ifMissing remedy: String? = nil) throws(XDPError) {
        isOwned = path != "-"
        name = isOwned ? path : "standard input"
        self.remedy = remedy
        descriptor = isOwned ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY) : STDIN_FILENO
        guard descriptor >= 0 else { throw Self.failure(name, errno, remedy) }
    }

    deinit {
        if isOwned, descriptor >= 0 { close(descriptor) }
    }

    /// The next bytes; none at the end, and when nobody wants more.
    func next() throws(XDPError) -> [UInt8] {
        var patience: Int32 = 0
        while !isReady(within: patience) {
            guard try shallWait() else { return [] }
            patience = Self.patience
        }
        while true {
            var number: Int32 = 0
            let bytes = [UInt8](unsafeUninitializedCapacity: Self.piece) { buffer, count in
                let read = Glibc.read(descriptor, buffer.baseAddress, Self.piece)
                number = read < 0 ? errno : 0
                count = max(read, 0)
            }
            if number == 0 || number == EINTR && Interruption.hasCome { return bytes }
            if number != EINTR { throw Self.failure(name, number, remedy) }
        }
    }

    private func isReady(within milliseconds: Int32) -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, milliseconds) > 0
    }

    private static func failure(_ name: String, _ number: Int32, _ remedy: String?) -> XDPError {
        XDPError(
            .failed, "The packets of \(name) cannot be read", because: Errno(rawValue: number).description,
            remedy: number == ENOENT ? remedy : nil)
    }
}

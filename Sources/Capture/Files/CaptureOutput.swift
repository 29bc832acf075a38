// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import XDP

/// A file, a pipe or a terminal that bytes go to.
///
/// Whoever uses it ignores SIGPIPE, so that a pipe of which nobody reads any more is noticed here.
public struct CaptureOutput: ~Copyable {
    /// What became of a write.
    public enum Outcome: Sendable, Hashable {
        case written
        /// Nobody reads the pipe any more.
        case readerGone
        /// It was to end while a pipe was full.
        case givenUp
        /// So many bytes were written, then the system said no.
        case failed(Int, Errno)
    }

    public let descriptor: Int32
    /// As it was typed; "standard output".
    public let name: String
    /// Whether what was written can be taken back.
    let isFile: Bool
    private let isOwned: Bool
    private let shallEnd: @Sendable () -> Bool

    /// How long a full pipe is waited for when the end was asked for, in milliseconds.
    private static let patience: Int32 = 1000

    /// Standard output, which stays open.
    public static func standardOutput(
        until shallEnd: @escaping @Sendable () -> Bool = { false }
    ) -> CaptureOutput {
        CaptureOutput(STDOUT_FILENO, "standard output", isOwned: false, until: shallEnd)
    }

    init(
        _ descriptor: Int32, _ name: String, isOwned: Bool, until shallEnd: @escaping @Sendable () -> Bool
    ) {
        self.descriptor = descriptor
        self.name = name
        self.isOwned = isOwned
        self.shallEnd = shallEnd
        var status = stat()
        isFile = fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// Writes all of it, in one piece if the system takes it.
    public func write(_ bytes: [UInt8]) -> Outcome {
        bytes.withUnsafeBytes { write($0) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        var done = 0
        while done < bytes.count {
            var size = bytes.count - done
            if shallEnd(), !isFile {
                guard isReady() else { return .givenUp }
                // What a pipe that is ready takes without waiting.
                size = min(size, Int(PIPE_BUF))
            }
            let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + done }, size)
            if count > 0 {
                done += count
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: _ = isReady()
            case EPIPE: return .readerGone
            case let number: return .failed(done, Errno(rawValue: number))
            }
        }
        return .written
    }

    private func isReady() -> Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&entry, 1, Self.patience) != 0
    }

    /// Whether somebody may still read what is written.
    public var hasReader: Bool {
        guard !isFile else { return true }
        var entry = pollfd(fd: descriptor, events: 0, revents: 0)
        return poll(&entry, 1, 0) <= 0 || entry.revents & Int16(POLLERR | POLLHUP) == 0
    }

    /// Takes the last bytes that were written back out of a file.
    func takeBack(_ count: Int) {
        guard isFile, count > 0 else { return }
        // From where it stands now: standard output may be a file that had something before.
        let place = lseek(descriptor, 0, SEEK_CUR) - off_t(count)
        guard place >= 0, ftruncate(descriptor, place) == 0 else { return }
        lseek(descriptor, place, SEEK_SET)
    }
}

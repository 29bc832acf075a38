// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage
import XDP

extension CaptureOutput {
    /// Opens what a capture goes to: `-` is standard output.
    ///
    /// Captures are made by root and hold what others must not see, often in directories where others may write. So a file is always
    /// a new one, of mode 0600: one that exists is taken away first, and with it whoever has it open or linked it there. A
    /// symbolic link is refused. Pipes and devices are written to as they are.
    public static func open(
        _ path: String, until shallEnd: @escaping @Sendable () -> Bool = { false }
    ) throws(XDPError) -> CaptureOutput {
        if path == "-" { return standardOutput(until: shallEnd) }
        // Descriptors of this process, which a shell passes so: /dev/fd/63.
        let isInherited = ["/dev/fd/", "/proc/self/fd/", "/dev/stdout"].contains { path.hasPrefix($0) }
        let flags = O_WRONLY | O_CLOEXEC | O_NOCTTY
        for _ in 0..<8 {
            var status = stat()
            let found = isInherited ? stat(path, &status) : lstat(path, &status)
            if found != 0 {
                guard errno == ENOENT else { throw failure(path, errno) }
                let descriptor = Glibc.open(path, flags | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
                if descriptor >= 0 {
                    return CaptureOutput(descriptor, path, isOwned: true, until: shallEnd)
                }
                // Somebody was faster, or it is a link that leads nowhere by now: look again.
                guard errno == EEXIST || errno == ELOOP else { throw failure(path, errno) }
                continue
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG where !isInherited:
                guard unlink(path) == 0 || errno == ENOENT else { throw failure(path, errno) }
            case S_IFLNK:
                throw XDPError(
                    .refused, "Packets cannot be written to \(path)", because: "it is a symbolic link",
                    remedy: "Name the file that it shall lead to; -w - is standard output")
            default:
                let descriptor = Glibc.open(path, isInherited ? flags : flags | O_NOFOLLOW)
                guard descriptor >= 0 else {
                    if errno == EINTR, !shallEnd() { continue }
                    throw failure(path, errno)
                }
                let output = CaptureOutput(descriptor, path, isOwned: true, until: shallEnd)
                // It was none when it was looked at.
                if output.isFile, !isInherited { continue }
                return output
            }
        }
        throw XDPError(
            .failed, "Packets cannot be written to \(path)",
            because: "somebody exchanges it all the time", remedy: "Write to a directory of your own")
    }

    /// Takes a file away that this capture made; whatever stands there otherwise stays.
    static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid() else {
            return
        }
        unlink(path)
    }

    private static func failure(_ path: String, _ number: Int32) -> XDPError {
        XDPError(
            .failed, "Packets cannot be written to \(path)", because: Errno(rawValue: number).description,
            remedy: number == ENOENT ? "Make the directory first" : nil)
    }
}

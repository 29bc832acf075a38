// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The right to read a ring buffer, which one reader has at a time.
///
/// The kernel knows no such right: a ring has one position for reading, and two readers would take records from each other.
/// So a reader locks the byte of the map's number (`F_OFD_SETLK`, fcntl(2)) in the file that the map's descriptor stands for.
/// That file is the same one for all maps of the machine, whatever the namespaces, and holds nothing. The kernel
/// lets go of the lock with the last copy of the descriptor, so also when the process dies.
enum RingReaderLock {
    /// Of fcntl.h, where only GNU programs see it.
    private static let setLock: Int32 = 37

    /// Takes the right until it is given back, or the descriptor and all copies of it are closed.
    static func take(_ descriptor: borrowing Descriptor, map: UInt32) throws(BPFError) {
        var lock = byte(of: map, F_WRLCK)
        guard fcntl(descriptor.rawValue, setLock, &lock) != 0 else { return }
        let failure = Errno(rawValue: errno)
        guard failure == .resourceTemporarilyUnavailable || failure == .permissionDenied else {
            throw BPFError("lock a ring buffer", on: "map \(map)", errno: failure)
        }
        throw BPFError(
            "read a ring buffer", on: "map \(map)", errno: .resourceBusy,
            kernelMessage: "\(holder(of: map) ?? "another process") reads it, and it has one reader",
            remedy: "End the other one, or read what it prints")
    }

    /// Gives the right back, also while there are copies of the descriptor.
    static func giveBack(_ descriptor: borrowing Descriptor, map: UInt32) {
        var lock = byte(of: map, F_UNLCK)
        _ = fcntl(descriptor.rawValue, setLock, &lock)
    }

    private static func byte(of map: UInt32, _ type: Int32) -> flock {
        var lock = flock()
        lock.l_type = Int16(type)
        lock.l_whence = Int16(SEEK_SET)
        lock.l_start = off_t(map)
        lock.l_len = 1
        return lock
    }

    /// "process 1234 (xdpctl)"; nil where it cannot be found.
    private static func holder(of map: UInt32) -> String? {
        for process in names(in: "/proc").compactMap({ UInt32($0) }) {
            for number in names(in: "/proc/\(process)/fdinfo") {
                let bytes = SmallFile.bytes(of: "/proc/\(process)/fdinfo/\(number)")
                let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                let isOurs = lines.contains { line in
                    let words = line.split(whereSeparator: \.isWhitespace)
                    return words.first == "map_id:" && words.last == "\(map)"
                }
                guard isOurs, lines.contains(where: { $0.contains("OFDLCK") }) else { continue }
                let name = String(decoding: SmallFile.bytes(of: "/proc/\(process)/comm"), as: UTF8.self)
                return "process \(process) (\(name.filter { $0 != "\n" }))"
            }
        }
        return nil
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { names.append(String(cString: $0)) }
            }
        }
        return names
    }
}

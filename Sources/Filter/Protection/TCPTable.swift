// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink

/// The established TCP connections of a network namespace, as `/proc/net/tcp` and `/proc/net/tcp6` list them.
///
/// A line is `number: local:port remote:port state …  uid timeout inode …`, numbers in hexadecimal; an address is four
/// (sixteen) bytes in words of four, each in the machine's order.
struct TCPTable {
    struct Entry: Hashable {
        var session: RemoteSession
        /// Of the socket, by which its owner is found.
        var inode: UInt64
    }

    let entries: [Entry]
    /// Whether the kernel let it be read.
    let isReadable: Bool

    /// Of the calling thread's namespace.
    static func current() -> TCPTable {
        let texts = ["tcp", "tcp6"].map { SmallFile.bytes(of: "/proc/thread-self/net/\($0)") }
        return TCPTable(
            entries: texts.flatMap { parse(String(decoding: $0, as: UTF8.self)) },
            isReadable: texts.contains { !$0.isEmpty })
    }

    /// The established connections in the text of such a file.
    static func parse(_ text: String) -> [Entry] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            let established: Substring = "01"
            guard words.count >= 10, words[3] == established, let local = end(words[1]),
                let remote = end(words[2]), let inode = UInt64(words[9])
            else { return nil }
            return Entry(
                session: RemoteSession(
                    peer: remote.address, peerPort: remote.port, local: local.address, localPort: local.port),
                inode: inode)
        }
    }

    private static func end(_ word: Substring) -> (address: IPAddress, port: UInt16)? {
        let parts = word.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1], radix: 16), parts[0].count % 8 == 0 else {
            return nil
        }
        var bytes: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            withUnsafeBytes(of: word) { bytes += $0 }
            rest = rest.dropFirst(8)
        }
        // An IPv4 connection of a socket that takes both.
        if bytes.count == 16, bytes.starts(with: [UInt8](repeating: 0, count: 10) + [255, 255]) {
            bytes.removeFirst(12)
        }
        return IPAddress(bytes: bytes).map { ($0, port) }
    }
}

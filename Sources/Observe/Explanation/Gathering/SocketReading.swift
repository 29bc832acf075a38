// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink

/// The AF_XDP sockets of the calling thread's network namespace.
package struct SocketReading: Sendable {
    /// By inode; nil where the kernel does not list them.
    let sockets: [UInt32: XDPSocketInformation]?
    /// How many there are; nil where the kernel does not count them.
    let count: Int?

    static func now() -> SocketReading {
        let listed = try? SocketDiagnosis.xdpSockets()
        return SocketReading(
            sockets: listed.map { Dictionary($0.map { ($0.inode, $0) }) { first, _ in first } },
            count: count(
                in: String(decoding: SmallFile.bytes(of: "/proc/thread-self/net/protocols"), as: UTF8.self)))
    }

    /// In a table `protocol size sockets …`.
    package static func count(in text: String) -> Int? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count > 2, words[0] == "XDP" { return Int(words[2]) }
        }
        return nil
    }

    /// What happened since an earlier reading to those on an interface.
    func facts(since before: SocketReading, on interface: UInt32) -> SocketFacts {
        let bound = sockets?.values.filter { $0.interface == interface }.sorted { $0.queue < $1.queue }
            .map { socket in
                let old = before.sockets?[socket.inode]
                func grown(_ name: KeyPath<XDPSocketInformation, UInt64>) -> UInt64 {
                    let (new, old) = (socket[keyPath: name], old?[keyPath: name] ?? 0)
                    return new > old ? new - old : 0
                }
                return SocketFacts.Socket(
                    inode: socket.inode, queue: socket.queue, dropped: grown(\.dropped),
                    receiveFull: grown(\.receiveFull), fillEmpty: grown(\.fillEmpty))
            }
        return SocketFacts(bound: bound, count: count)
    }
}

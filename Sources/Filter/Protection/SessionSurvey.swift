// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import XDP

/// Who works on this machine from afar, in the calling thread's network namespace.
///
/// Two things tell: the variable `SSH_CONNECTION` of this process and of those that started it (sudo takes it away, but
/// the shell before it has it), and connections that a process holds which is called as an SSH server is.
enum SessionSurvey {
    /// What servers for SSH call themselves.
    static let servers: Set<String> = [
        "sshd", "sshd-session", "sshd-auth", "dropbear", "dropbearmulti", "tinysshd",
    ]

    static func sessions() -> [RemoteSession] {
        let table = TCPTable.current()
        var origins: [RemoteSession: [String]] = [:]
        var order: [RemoteSession] = []
        func add(_ session: RemoteSession, _ origin: String) {
            if origins[session] == nil { order.append(session) }
            if !origins[session, default: []].contains(origin) {
                origins[session, default: []].append(origin)
            }
        }
        let known = Set(table.entries.map(\.session))
        for (session, origin) in ownSessions() where known.contains(session) || !table.isReadable {
            add(session, origin)
        }
        let owners = serverSockets()
        for entry in table.entries {
            for owner in owners[entry.inode] ?? [] { add(entry.session, owner) }
        }
        return order.map { session in
            var session = session
            session.origins = origins[session] ?? []
            return session
        }
    }

    // MARK: - This process

    /// What the environment of this process and of those above it says.
    private static func ownSessions() -> [(RemoteSession, String)] {
        var found: [(RemoteSession, String)] = []
        var process: Int32? = getpid()
        // So deep no tree of processes is.
        for _ in 0..<100 {
            guard let current = process, current > 0 else { break }
            let environment = SmallFile.bytes(of: "/proc/\(current)/environ", limit: 1 << 20)
            if let session = session(inEnvironment: environment) {
                found.append(
                    (session, "SSH_CONNECTION of process \(current) (\(ProcessTable.command(of: current)))"))
            }
            process = parent(of: current)
        }
        return found
    }

    /// What `SSH_CONNECTION=192.0.2.9 51234 198.51.100.1 22` says, among variables that end with a zero byte.
    static func session(inEnvironment bytes: [UInt8]) -> RemoteSession? {
        let name = Array("SSH_CONNECTION=".utf8)
        for variable in bytes.split(separator: 0) where variable.starts(with: name) {
            let words = String(decoding: variable.dropFirst(name.count), as: UTF8.self).split(separator: " ")
            guard words.count == 4, let peer = address(words[0]), let peerPort = UInt16(words[1]),
                let local = address(words[2]), let localPort = UInt16(words[3])
            else { continue }
            return RemoteSession(peer: peer, peerPort: peerPort, local: local, localPort: localPort)
        }
        return nil
    }

    /// A link-local address comes with its interface behind a percent sign.
    private static func address(_ word: Substring) -> IPAddress? {
        IPAddress(parsing: String(word.prefix { $0 != "%" }))
    }

    private static func parent(of process: Int32) -> Int32? {
        let status = String(
            decoding: SmallFile.bytes(of: "/proc/\(process)/status", limit: 4096), as: UTF8.self)
        for line in status.split(separator: "\n") where line.hasPrefix("PPid:") {
            return line.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0) }
        }
        return nil
    }

    // MARK: - Servers

    /// The processes that hold sockets and are servers, by the socket's inode.
    private static func serverSockets() -> [UInt64: [String]] {
        var owners: [UInt64: [String]] = [:]
        for process in ProcessTable.all() {
            let name = ProcessTable.command(of: process)
            guard servers.contains(name) else { continue }
            for inode in sockets(of: process) {
                owners[inode, default: []].append("process \(process) (\(name))")
            }
        }
        return owners
    }

    private static func sockets(of process: Int32) -> [UInt64] {
        let directory = "/proc/\(process)/fd"
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var found: [UInt64] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            var target = [CChar](repeating: 0, count: 40)
            let count = readlink("\(directory)/\(name)", &target, target.count)
            guard count > 0 else { continue }
            let text = String(decoding: target.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
            // socket:[12345]
            guard text.hasPrefix("socket:["), let inode = UInt64(text.dropFirst(8).dropLast()) else {
                continue
            }
            found.append(inode)
        }
        return found
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

@testable import Filter

/// Sessions of the real kernel. Needs root.
@Suite("Protection from locking oneself out, on the kernel")
struct FilterLockoutTests {
    @Test(
        "a connection of a process called sshd is found on the interface that it comes in by, and nowhere else"
    )
    func server() throws {
        let bench = try SessionBench()
        let sshd = try bench.holdSession(as: "sshd")
        defer { sshd.end() }

        let (near, other) = try bench.findings("rules { drop tcp dport 22; default pass }")
        let finding = try #require(near.first { $0.severity == .error })

        #expect(finding.what == "rule 1 (line 1) drops the ssh session of 192.0.2.9:\(sshd.peerPort)")
        #expect(finding.evidence.contains("process \(sshd.process) (sshd)"))
        #expect(other == [])
        #expect(try bench.findings("rules { pass tcp dport 22; default drop }").near == [])
    }

    @Test("the peer's MAC is known, so that rules about it count")
    func neighbour() throws {
        let bench = try SessionBench()
        let sshd = try bench.holdSession(as: "sshd-session")
        defer { sshd.end() }

        let found = try bench.findings("rules { drop mac src \(SessionBench.farMAC); default pass }").near

        #expect(found.map(\.severity) == [.error])
    }

    @Test("connections of other processes are nobody's session")
    func others() throws {
        let bench = try SessionBench()
        let editor = try bench.holdSession(as: "vi")
        defer { editor.end() }

        #expect(try bench.findings("rules { default drop }").near == [])
    }

    @Test(
        "the command refuses such rules, also below sudo, which takes SSH_CONNECTION away; --force puts them on"
    )
    func command() throws {
        let bench = try SessionBench()
        let editor = try bench.holdSession(as: "vi")
        defer { editor.end() }
        let connection = "192.0.2.9 \(editor.peerPort) 192.0.2.1 22"

        let refused = try bench.apply("rules { drop tcp dport 22; default pass }", below: connection)
        let harmless = try bench.apply("rules { drop udp; default pass }", below: connection)
        let stranger = try bench.apply(
            "rules { drop tcp dport 22; default pass }", below: "192.0.2.9 1 192.0.2.1 22")
        let forced = try bench.apply(
            "rules { drop tcp dport 22; default pass }", below: connection, "--force")

        // The text is broken into lines.
        let text = refused.errors.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(refused.status == 3, "\(refused)")
        #expect(
            text.contains("rule 1 (line 1) drops the ssh session of 192.0.2.9:\(editor.peerPort)"))
        #expect(text.contains("pass tcp src 192.0.2.9 dport 22"))
        #expect(harmless.status == 0, "\(harmless)")
        // A connection that is no more.
        #expect(stranger.status == 0, "\(stranger)")
        #expect(forced.status == 0, "\(forced)")
    }

    @Test("a session through a bridge comes in by the bridge's port")
    func bridge() throws {
        let bench = try SessionBench(withBridge: true)
        let sshd = try bench.holdSession(as: "dropbear")
        defer { sshd.end() }

        let (near, other) = try bench.findings("rules { default drop }")

        #expect(near.contains { $0.severity == .error })
        #expect(other == [])
    }
}

/// Two namespaces that are wired to each other: `near`, where somebody works, and `far`, where they come from; a
/// further interface `other`, by which nothing comes in.
private final class SessionBench: Sendable {
    static let farMAC = "02:00:00:00:00:09"
    private static let local = IPAddress(192, 0, 2, 1)
    private static let peer = IPAddress(192, 0, 2, 9)

    /// A connection, and the process that holds its near end.
    struct Session {
        let process: pid_t
        let peerPort: UInt16
        let far: Int32

        func end() {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            close(far)
        }
    }

    private let here: NetworkNamespace
    private let there: NetworkNamespace
    private let directory: TemporaryDirectory

    init(withBridge: Bool = false) throws {
        directory = try TemporaryDirectory()
        here = try NetworkNamespace.makePrivate()
        there = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: here)
        let near = try route.createVeth(
            "near", peer: "far", peerNamespace: there.fileDescriptor,
            peerHardwareAddress: HardwareAddress([2, 0, 0, 0, 0, 9]))
        let other = try route.createVeth("other", peer: "nowhere").index
        for index in [near.index, other] { try route.setUp(index) }
        var top = near.index
        if withBridge {
            top = try route.createLink("bridge", kind: "bridge").index
            try route.setMaster(top, of: near.index)
            try route.setUp(top)
        }
        try route.addAddress(Self.local, prefixLength: 24, to: top)
        try route.addAddress(IPAddress(203, 0, 113, 1), prefixLength: 24, to: other)
        var remote = try RouteSocket(in: there)
        let far = try remote.link(named: "far").index
        try remote.setUp(far)
        try remote.addAddress(Self.peer, prefixLength: 24, to: far)
    }

    deinit { cleanUp(here) }

    /// What is found for `near` and for `other`.
    func findings(_ rules: String) throws -> (near: [CheckFinding], other: [CheckFinding]) {
        let parsed = try RuleFile.parse(Array(rules.utf8), file: "rules")
        return try here.run {
            (
                LockoutCheck.findings(rules: parsed, interface: try Interface(named: "near")),
                LockoutCheck.findings(rules: parsed, interface: try Interface(named: "other"))
            )
        }
    }

    /// Runs `xdpctl filter apply` without SSH_CONNECTION, started by a shell that has it.
    func apply(_ rules: String, below connection: String, _ words: String...) throws -> Subprocess.Result {
        let file = try directory.write("rules.xdp", rules)
        let script = "env -u SSH_CONNECTION \"$0\" \"$@\"; exit $?"
        return try Subprocess.run(
            "env",
            [
                "SSH_CONNECTION=\(connection)", "sh", "-c", script, Subprocess.binary("xdpctl"), "filter",
                "apply",
            ]
                + ["near", file, "--netns", "/proc/\(getpid())/fd/\(here.fileDescriptor)"] + words)
    }

    /// Connects to port 22, and has a process of that name hold the end that was accepted.
    func holdSession(as name: String) throws -> Session {
        let listener = try here.run {
            try Self.stream { address in
                address.sin_port = UInt16(22).bigEndian
                return { bind($0, $1, $2) }
            }
        }
        defer { close(listener) }
        guard listen(listener, 1) == 0 else { throw POSIXError(.EIO) }
        let far = try there.run {
            try Self.stream { address in
                address.sin_port = UInt16(22).bigEndian
                withUnsafeMutableBytes(of: &address.sin_addr) { $0.copyBytes(from: Self.local.bytes) }
                return { connect($0, $1, $2) }
            }
        }
        let accepted = accept(listener, nil, nil)
        guard accepted >= 0 else { throw POSIXError(.EIO) }
        defer { close(accepted) }
        return Session(
            process: try spawn(name, holding: accepted), peerPort: try Self.port(of: far), far: far)
    }

    private static func stream(
        _ prepare: (inout sockaddr_in) -> (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        let use = prepare(&address)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                use(number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return number
    }

    private static func port(of number: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(number, $0, &size) }
        }
        guard result == 0 else { throw POSIXError(.EIO) }
        return UInt16(bigEndian: address.sin_port)
    }

    /// A process that sleeps under a name, with a descriptor of its own.
    private func spawn(_ name: String, holding descriptor: Int32) throws -> pid_t {
        let program = "\(directory.path)/\(name)"
        try FileManager.default.copyItem(atPath: "/bin/sleep", toPath: program)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, descriptor, 5)
        let words = [name, "60"]
        var texts = words.map { strdup($0) } + [nil]
        defer { for text in texts { free(text) } }
        var process = pid_t()
        guard posix_spawn(&process, program, &actions, nil, &texts, environ) == 0 else {
            throw POSIXError(.EIO)
        }
        return process
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import TestSupport
import XDP

/// A loader that knows nothing of chains, in a process of its own: `Tests/ForeignLoader`.
final class ForeignLoader {
    enum Way: String, Sendable, CaseIterable {
        case skeleton, raw, netlink
        /// By netlink, and bound to the device.
        case bound
    }

    let processID: pid_t
    /// What it attached.
    let programID: UInt32
    /// 0 where it attached by netlink.
    let linkID: UInt32
    private var channel: Int32

    init(
        _ bench: ChainBench, _ fixture: String, on interface: String = "near", by way: Way = .skeleton,
        mode: AttachMode = .native
    ) throws {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw Subprocess.Failure(what: "socketpair") }
        let words = [
            "nsenter", "--net=\(bench.path)", try Subprocess.binary("ForeignLoader"), interface,
            try Fixture.path(fixture), mode.rawValue, way.rawValue,
        ]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 0)
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var texts = words.map { strdup($0) } + [nil]
        defer { for text in texts { free(text) } }
        var child = pid_t()
        let failure = posix_spawnp(&child, "nsenter", &actions, nil, &texts, environ)
        close(ends[1])
        processID = child
        channel = ends[0]
        guard failure == 0, let line = Self.line(from: ends[0]) else {
            close(ends[0])
            throw Subprocess.Failure(what: words.joined(separator: " "))
        }
        let numbers = line.split(separator: " ").compactMap { UInt32($0) }
        (programID, linkID) = (numbers.first ?? 0, numbers.last ?? 0)
    }

    deinit { end() }

    /// Has it do something; gives what it answers: "ok PROGRAM" or "error ERRNO".
    @discardableResult
    func tell(_ words: String...) -> String {
        let text = Array((words.joined(separator: " ") + "\n").utf8)
        guard write(channel, text, text.count) == text.count else { return "gone" }
        return Self.line(from: channel) ?? "gone"
    }

    /// Has it exchange its program; gives the id of the new one.
    func update(to fixture: String) throws -> UInt32 {
        let answer = tell("update", try Fixture.path(fixture))
        guard answer.hasPrefix("ok "), let id = UInt32(answer.dropFirst(3)) else {
            throw Subprocess.Failure(what: "update: \(answer)")
        }
        return id
    }

    /// Ends it, and waits until it has.
    func end() {
        guard channel >= 0 else { return }
        close(channel)
        channel = -1
        _ = waitpid(processID, nil, 0)
    }

    private static func line(from channel: Int32) -> String? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(channel, &byte, 1) == 1 {
            if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(byte)
        }
        return nil
    }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// A program of this package on a terminal of its own, as a person sees it.
final class PseudoTerminal {
    let processID: pid_t
    private let descriptor: Int32
    private(set) var output: [UInt8] = []
    private var status: Int32?

    /// Starts a program whose standard input, output and error are a terminal of so many columns and lines.
    init(_ command: String, _ arguments: [String], columns: UInt16 = 80, lines: UInt16 = 24) throws {
        descriptor = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        // TIOCSPTLCK and TIOCGPTN: macros that Swift does not see.
        var isLocked: Int32 = 0
        var number: UInt32 = 0
        guard descriptor >= 0, cbpf_ioctl_pointer(descriptor, 0x4004_5431, &isLocked) == 0,
            cbpf_ioctl_pointer(descriptor, 0x8004_5430, &number) == 0
        else { throw Subprocess.Failure(what: "no terminal") }
        let path = "/dev/pts/\(number)"
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that the leader of a session opens is its own.
        posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        // POSIX_SPAWN_SETSID, which Swift does not see without _GNU_SOURCE.
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | 0x80)
        var texts: [UnsafeMutablePointer<CChar>?] = ([command] + arguments).map { strdup($0) } + [nil]
        let settings = ["TERM=xterm", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        var variables: [UnsafeMutablePointer<CChar>?] = settings.map { strdup($0) } + [nil]
        defer { for text in texts + variables { free(text) } }
        var window = winsize(ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = cbpf_ioctl_pointer(descriptor, UInt(TIOCSWINSZ), &window)
        var child = pid_t()
        let failure = posix_spawnp(&child, command, &actions, &attributes, &texts, &variables)
        processID = child
        guard failure == 0 else { throw Subprocess.Failure(what: "\(command): \(failure)") }
    }

    deinit {
        if status == nil {
            kill(processID, SIGKILL)
            waitpid(processID, nil, 0)
        }
        close(descriptor)
    }

    var text: String { String(decoding: output, as: UTF8.self) }

    /// Another size of the window; the program is told by SIGWINCH.
    func resize(columns: UInt16, lines: UInt16) {
        var window = winsize(ws_row: lines, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = cbpf_ioctl_pointer(descriptor, UInt(TIOCSWINSZ), &window)
    }

    /// What a person types, Ctrl-C as 3.
    func type(_ bytes: [UInt8]) {
        _ = write(descriptor, bytes, bytes.count)
    }

    /// Forgets what was printed so far.
    func forget() { output = [] }

    /// Reads until a condition holds for what was printed; false after some seconds.
    func wait(seconds: Int = 20, until condition: (String) -> Bool) -> Bool {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while !condition(text) {
            if ContinuousClock.now > deadline { return false }
            read()
        }
        return true
    }

    /// Reads to the end; the exit status, negative for a signal.
    func end(seconds: Int = 20) -> Int32? {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while status == nil {
            if ContinuousClock.now > deadline { return nil }
            read()
            var code: Int32 = 0
            if waitpid(processID, &code, WNOHANG) == processID {
                status = code & 0x7f == 0 ? code >> 8 & 0xff : -(code & 0x7f)
            }
        }
        read()
        return status
    }

    private func read() {
        var poller = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, 50) > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            output += buffer.prefix(count)
        }
        // Of a terminal that nobody has open poll(2) says at once that there is nothing.
        if poller.revents & Int16(POLLHUP) != 0 { usleep(10_000) }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Runs programs of others for a moment: without a shell, with nothing to read, and not for long.
enum ToolRunner {
    /// Why nothing came of it.
    struct Failure: Error, Sendable {
        let reason: String
    }

    /// Bytes that are read of what it prints.
    static let limit = 64 << 10

    /// Where a program is: in the directories of PATH, and where only root has them.
    static func find(_ name: String) -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        let directories =
            path.split(separator: ":").map(String.init) + ["/usr/local/sbin", "/usr/sbin", "/sbin"]
        // What is relative would be found by where one stands.
        return directories.lazy.filter { $0.hasPrefix("/") }.map { "\($0)/\(name)" }.first { path in
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(path, X_OK) == 0
        }
    }

    /// Runs it to its end, but no longer than `seconds`, and gives what it printed on both outputs.
    static func output(
        of path: String, _ arguments: [String], seconds: Int = 10
    ) throws(Failure) -> [UInt8] {
        var ends: [Int32] = [0, 0]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw failure(path, errno) }
        defer { close(ends[0]) }
        let child = try start(path, arguments, writingTo: ends[1])
        let output = read(from: ends[0], until: .now + .seconds(seconds))
        // One that has said enough, or takes too long, is not waited for.
        if output == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0, errno == EINTR {}
        guard let output else { throw Failure(reason: "\(path) did not end within \(seconds) seconds") }
        guard status == 0 else {
            let how =
                status & 0x7f == 0 ? "failed with status \(status >> 8 & 0xff)" : "was ended by a signal"
            throw Failure(reason: "\(path) \(how)")
        }
        return output
    }

    /// The output is closed here, so that reading comes to an end when the child does.
    private static func start(
        _ path: String, _ arguments: [String], writingTo output: Int32
    ) throws(Failure) -> pid_t {
        defer { close(output) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_adddup2(&actions, output, 2)
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var child = pid_t()
        let result = posix_spawn(&child, path, &actions, nil, &words, environ)
        guard result == 0 else { throw failure(path, result) }
        return child
    }

    /// Reads to the end; nil if that does not come in time. What is more than the limit is read and forgotten.
    private static func read(from descriptor: Int32, until deadline: ContinuousClock.Instant) -> [UInt8]? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let left = (deadline - .now) / .milliseconds(1)
            guard left > 0 else { return nil }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&request, 1, Int32(min(left.rounded(.up), 60_000)))
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return bytes }
            if bytes.count < limit { bytes += buffer.prefix(min(count, limit - bytes.count)) }
        }
    }

    private static func failure(_ path: String, _ number: Int32) -> Failure {
        Failure(reason: "\(path) cannot be started: \(String(cString: strerror(number)))")
    }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// A command that ran, with what the kernel counted for it.
struct ChildProcess {
    var status: Int32
    /// Milliseconds from the spawn to the end.
    var wall: Double
    /// Milliseconds on a processor in the program's own code. The kernel divides the time between user and
    /// system by samples every few milliseconds, so only the mean of many runs says something.
    var user: Double
    var system: Double

    /// Runs a command to its end, its output thrown away.
    static func run(_ arguments: [String]) throws -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words = arguments.map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var child: pid_t = 0
        let start = ContinuousClock.now
        let failure = posix_spawnp(&child, arguments[0], &actions, nil, words, environ)
        guard failure == 0 else {
            throw BenchmarkError("\(arguments[0]) cannot be started: errno \(failure)")
        }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(child, &status, 0, &usage) < 0 {
            guard errno == EINTR else { throw BenchmarkError("wait4: errno \(errno)") }
        }
        let wall = ContinuousClock.now - start
        return ChildProcess(
            status: status, wall: milliseconds(wall), user: milliseconds(usage.ru_utime),
            system: milliseconds(usage.ru_stime))
    }

    /// As `run`, but a failure is an error.
    @discardableResult
    static func succeed(_ arguments: [String]) throws -> ChildProcess {
        let child = try run(arguments)
        guard child.status == 0 else {
            throw BenchmarkError("`\(arguments.joined(separator: " "))` failed (\(child.status))")
        }
        return child
    }

    /// Peak memory of a command in MB (1000 × 1000 bytes).
    ///
    /// The kernel lets a child's figure begin with what its parent had in memory when it was made. So a small
    /// shell starts the command and ends, and the orphan comes to this process.
    static func peakMemory(_ arguments: [String]) throws -> Double {
        guard cbpf_adopt_orphans() == 0 else { throw BenchmarkError("prctl: errno \(errno)") }
        let quoted = arguments.map { "'\($0)'" }.joined(separator: " ")
        try succeed(["/bin/sh", "-c", "\(quoted) &"])
        var status: Int32 = 0
        var usage = rusage()
        while wait4(-1, &status, 0, &usage) < 0 {
            guard errno == EINTR else { throw BenchmarkError("wait4: errno \(errno)") }
        }
        guard status == 0 else { throw BenchmarkError("`\(quoted)` failed (\(status))") }
        return Double(usage.ru_maxrss) * 1024 / 1e6
    }

    private static func milliseconds(_ duration: Duration) -> Double {
        Double(duration.components.seconds) * 1000 + Double(duration.components.attoseconds) / 1e15
    }

    private static func milliseconds(_ time: timeval) -> Double {
        Double(time.tv_sec) * 1000 + Double(time.tv_usec) / 1000
    }
}

/// Why a measurement cannot be made.
struct BenchmarkError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

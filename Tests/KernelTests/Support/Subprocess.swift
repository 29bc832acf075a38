// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A program of this package or of the system, run to its end.
struct Subprocess {
    /// What it left behind.
    struct Result: Sendable, CustomStringConvertible {
        /// The exit status; the negative signal number where a signal ended it.
        let status: Int32
        let output: String
        let errors: String

        var description: String { "status \(status)\n\(output)\(errors)" }
    }

    /// It could not be started, or did not end.
    struct Failure: Error {
        let what: String
    }

    let processID: pid_t
    let output: Int32
    let errors: Int32
    private let command: String

    /// A binary of this package, which stands beside the tests.
    static func binary(_ name: String) throws -> String {
        // In emulation the optimised command is several times faster than the one that is built for tests.
        if name == "xdpctl", let path = getenv("XDP_COMMAND") { return String(cString: path) }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let characters = buffer.prefix(max(0, length)).map { UInt8(bitPattern: $0) }
        let this = String(decoding: characters, as: UTF8.self)
        let root = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        let directories = [this, CommandLine.arguments[0]].map { path in
            "/" + path.split(separator: "/").dropLast().joined(separator: "/")
        }
        for directory in directories + ["\(root)/.build/debug"] {
            let path = "\(directory)/\(name)"
            if access(path, X_OK) == 0 { return path }
        }
        throw Failure(what: "\(name) is not beside \(this)")
    }

    /// Starts a program, found by PATH unless it is a path.
    init(_ command: String, _ arguments: [String]) throws {
        var outputs: (Int32, Int32) = (0, 0)
        var complaints: (Int32, Int32) = (0, 0)
        outputs = try Self.makeChannel()
        complaints = try Self.makeChannel()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, outputs.1, 1)
        posix_spawn_file_actions_adddup2(&actions, complaints.1, 2)
        defer { posix_spawn_file_actions_destroy(&actions) }
        var texts = ([command] + arguments).map { strdup($0) } + [nil]
        defer { for text in texts { free(text) } }
        var child = pid_t()
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads of tests block signals, and a process that is to end at SIGINT would have that from them.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let failure = posix_spawnp(&child, command, &actions, &attributes, &texts, environ)
        close(outputs.1)
        close(complaints.1)
        output = outputs.0
        errors = complaints.0
        processID = child
        self.command = ([command] + arguments).joined(separator: " ")
        guard failure == 0 else {
            close(output)
            close(errors)
            throw Failure(what: "\(command): \(String(cString: strerror(failure)))")
        }
    }

    private static func makeChannel() throws -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        // Not pipe(2): a test in parallel must not inherit an end, or the other one never sees the end.
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw Failure(what: "socketpair") }
        return (ends[0], ends[1])
    }

    /// Waits for the end; a process that takes longer than a minute is killed.
    func wait(seconds: Int = 60) throws -> Result {
        defer {
            close(output)
            close(errors)
        }
        var texts: [[UInt8]] = [[], []]
        var polls = [
            pollfd(fd: output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
        ]
        let deadline = ContinuousClock.now + .seconds(seconds)
        var buffer = [UInt8](repeating: 0, count: 65536)
        while polls.contains(where: { $0.fd >= 0 }) {
            guard ContinuousClock.now < deadline else {
                kill(processID, SIGKILL)
                _ = waitpid(processID, nil, 0)
                throw Failure(what: "\(command) did not end within \(seconds) s")
            }
            poll(&polls, 2, 200)
            for place in polls.indices where polls[place].fd >= 0 && polls[place].revents != 0 {
                let count = read(polls[place].fd, &buffer, buffer.count)
                if count > 0 {
                    texts[place] += buffer.prefix(count)
                } else {
                    polls[place].fd = -1
                }
            }
        }
        var status: Int32 = 0
        guard waitpid(processID, &status, 0) == processID else { throw Failure(what: "waitpid") }
        let signal = status & 0x7f
        return Result(
            status: signal != 0 ? -signal : status >> 8 & 0xff,
            output: String(decoding: texts[0], as: UTF8.self),
            errors: String(decoding: texts[1], as: UTF8.self))
    }

    static func run(_ command: String, _ arguments: [String]) throws -> Result {
        try Subprocess(command, arguments).wait()
    }

    /// The worker on an interface of a namespace.
    static func worker(_ bench: ChainBench, _ interface: String, _ words: [String]) throws -> Subprocess {
        try Subprocess(binary("ChainWorker"), [bench.path, interface] + words)
    }

    /// Runs `xdpctl`.
    static func xdpctl(_ arguments: String...) throws -> Result {
        let result = try run(binary("xdpctl"), arguments)
        try CommandSchemas.check(arguments, result)
        return result
    }
}

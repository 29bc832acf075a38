// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import XDP

/// `xdpctl capture` while it runs, on an interface of a bench.
struct CaptureProcess {
    private let process: Subprocess

    var processID: pid_t { process.processID }

    /// Starts it, and waits until it is in the chain.
    init(_ bench: CaptureBench, on interface: String = "tap", _ words: [String]) throws {
        let before = Set(try bench.taps(interface).map(\.name))
        process = try Subprocess(
            Subprocess.binary("xdpctl"), ["capture", interface, "--netns", bench.bench.path] + words)
        try Self.wait(for: process) { try bench.taps(interface).contains { !before.contains($0.name) } }
    }

    /// The same by a shell's words, where `$xdpctl` is the command and `$netns` the namespace.
    init(_ bench: CaptureBench, shell script: String) throws {
        let before = Set(try bench.taps().map(\.name))
        process = try Subprocess(
            "bash",
            [
                "-c", "set -o pipefail\n" + script, "xdpctl", Subprocess.binary("xdpctl"), bench.bench.path,
            ])
        try Self.wait(for: process) { try bench.taps().contains { !before.contains($0.name) } }
    }

    private static func wait(for process: Subprocess, _ isThere: () throws -> Bool) throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try !isThere() {
            // It ended already: its result says why.
            var status = siginfo_t()
            let flags = WEXITED | WNOHANG | WNOWAIT
            waitid(P_PID, id_t(process.processID), &status, flags)
            if status._sifields._kill.si_pid != 0 || ContinuousClock.now > deadline { return }
            usleep(5000)
        }
    }

    func signal(_ number: Int32) {
        kill(process.processID, number)
    }

    /// Its result, once it has ended, by a signal if one is named.
    func end(by number: Int32? = nil) throws -> Subprocess.Result {
        if let number { signal(number) }
        return try process.wait()
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport

/// Commands of others inside the namespace of a bench, with a BPF file system of their own in which they may leave
/// what they like, and which goes with this value.
final class ForeignShell {
    private let bench: ChainBench
    private let keeper: Subprocess

    /// That file system, as seen from here.
    var pins: String { "/proc/\(keeper.processID)/root/sys/fs/bpf" }

    init(_ bench: ChainBench) throws {
        self.bench = bench
        keeper = try Subprocess(
            "nsenter",
            [
                "--net=\(bench.path)", "unshare", "--mount", "sh", "-c",
                "mount -t bpf bpf /sys/fs/bpf && mount -t tmpfs none /run && exec sleep 600",
            ])
        let path = "/proc/\(keeper.processID)/comm"
        let isReady = eventually {
            let bytes = (try? TemporaryFile.contents(of: path)) ?? []
            return String(decoding: bytes, as: UTF8.self) == "sleep\n"
        }
        guard isReady else { throw Subprocess.Failure(what: "a mount namespace") }
    }

    deinit {
        kill(keeper.processID, SIGKILL)
        _ = try? keeper.wait()
    }

    /// Runs a command to its end.
    func run(_ words: String...) throws -> Subprocess.Result {
        try Subprocess.run(
            "nsenter", ["--mount=/proc/\(keeper.processID)/ns/mnt", "--net=\(bench.path)"] + words)
    }
}

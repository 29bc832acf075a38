// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import Glibc

/// How a process that holds the guard of a capture ends.
enum GuardEnd: String {
    case wait, exit, exec, abort

    /// Sets the guard's word in a map, and then ends, or waits to be killed.
    func reach(map: UInt32) throws {
        let page = try MappedValue(BPFMap(id: map), count: CapturePage.size)
        let guardian = try CaptureGuard(page)
        // Until somebody has seen it.
        switch self {
        case .wait: sleep(60)
        case .exit:
            usleep(300_000)
            Glibc._exit(0)
        case .abort:
            usleep(300_000)
            signal(SIGABRT, SIG_DFL)
            kill(getpid(), SIGABRT)
            sleep(60)
        case .exec:
            usleep(300_000)
            var words: [UnsafeMutablePointer<CChar>?] = [strdup("sleep"), strdup("60"), nil]
            execvp("sleep", &words)
        }
        withExtendedLifetime(guardian) {}
    }
}

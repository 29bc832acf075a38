// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Synchronization

/// Finds out whether XDP programs can call a helper: loads the smallest program that does, and reads what the
/// verifier says. Complaints about the arguments, which are all wrong, come after the one that counts.
enum HelperTrial {
    private static let existing = Mutex<[UInt32: Bool]>([:])

    static func support(_ id: UInt32) -> Support {
        guard id > 0, let number = Int32(exactly: id) else { return .unsupported }
        let answer = KernelTrial.load(
            KernelTrial.ProgramRequest([.call(helper: number), .move(.r0, 2), .exit]))
        guard case .refused(let errno, let log) = answer else { return note(id, .supported, exists: true) }
        // "invalid func unknown#300": the number is beyond what the kernel has.
        if log.contains("invalid func ") { return note(id, .unsupported, exists: false) }
        // "unknown func bpf_x#9", since Linux 6.10 or so "program of this type cannot use helper bpf_x#9".
        if log.contains("unknown func ") || log.contains("cannot use helper ") {
            let tracing = Capability.performanceMonitoring
            if !Capability.effective().contains(tracing) {
                existing.withLock { $0[id] = true }
                return .unknown("this process lacks \(tracing), without which the kernel hides some helpers")
            }
            return note(id, .unsupported, exists: true)
        }
        if !log.isEmpty { return note(id, .supported, exists: true) }
        if let obstacle = TrialBaseline.obstacle() { return .unknown(obstacle) }
        return .unknown("the trial failed: \(errno.description)")
    }

    /// Whether the kernel has the helper at all, as the trial showed it; nil where it was not to be seen.
    static func exists(_ id: UInt32) -> Bool? {
        existing.withLock { $0[id] }
    }

    private static func note(_ id: UInt32, _ support: Support, exists: Bool) -> Support {
        existing.withLock { $0[id] = exists }
        return support
    }
}

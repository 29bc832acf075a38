// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

/// Has the kernel count runs of all programs, and the time they take, as long as this value lives (`BPF_ENABLE_STATS`). Linux 5.8.
///
/// It reads the clock twice for each run of every program on the machine: some ten nanoseconds where the clock is cheap, some
/// seventy in virtual machines where it is not.
public struct RunStatistics: ~Copyable, Sendable {
    private let descriptor: Descriptor

    /// Needs CAP_SYS_ADMIN.
    public init() throws(BPFError) {
        var attributes = bpf_attr()
        // BPF_STATS_RUN_TIME
        attributes.enable_stats.type = 0
        do throws(Errno) {
            descriptor = try KernelDoor.descriptor(.enableStatistics, &attributes)
        } catch {
            throw BPFError(
                "have the kernel measure programs", errno: error,
                remedy: error == .notPermitted ? Capability.remedy(for: [.systemAdministration]) : nil)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Waiting for packets that are on their way.
public enum GracePeriod {
    /// Returns when no CPU runs a program any more that it began before the call: some milliseconds. Where the
    /// kernel does not know membarrier(2), at once.
    public static func wait() {
        _ = cbpf_wait_for_all_cpus()
    }
}

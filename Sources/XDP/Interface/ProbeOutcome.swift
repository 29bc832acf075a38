// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import SystemPackage

/// What a short real attachment in native mode showed.
struct ProbeOutcome: Sendable, Hashable {
    /// What the kernel refused a program with.
    struct Refusal: Sendable, Hashable {
        var errno: Errno
        /// In its own words, where it had some.
        var kernelMessage: String?

        /// The kernel's own refusal, before any driver was asked, differs from that of a driver that has a native
        /// mode and cannot now.
        var saysNoNativeMode: Bool {
            guard errno == .notSupportedOnSocket else { return false }
            return kernelMessage?.contains("support XDP in native mode") ?? true
        }

        var text: String { kernelMessage ?? "\(errno.description) [\(errno.name)]" }

        var isAboutMTU: Bool {
            errno == .outOfRange
                || kernelMessage.map { $0.contains("MTU") || $0.contains("mtu") } ?? false
        }
    }

    /// Of a program that takes packets in one buffer only; nil: it was taken.
    var singleBuffer: Refusal?
    /// Whether one that is built as xdp.frags was taken; nil: it was not tried.
    var takesFragments: Bool?
    /// The largest MTU that the kernel allowed while the first one was attached; nil: it limited nothing.
    var largestMTU: UInt32?
    /// What the driver could do while a program was attached; nil where the kernel does not say.
    var whileRunning: NetdevDevice.Features?
}

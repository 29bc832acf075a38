// SPDX-License-Identifier: Apache-2.0
import Glibc
import XDP

/// How much memory a capture's records have until they are read: a ring for each CPU that is running, as far as there is
/// room for them.
///
/// A ring's size is a power of two, as the kernel wants it. Without a wish there are 16 MB a CPU, at most 64 MB together, or
/// 2 MB a CPU where that is more, and never more than a sixteenth of the machine's memory.
///
/// It is the only memory of a capture that depends on traffic. The kernel shows each page of it twice in a reader's resident
/// size, because it is mapped twice in a row.
struct CaptureBuffer: Hashable {
    let ringSize: Int
    let rings: Int

    /// Places in the array of rings, a power of two: where there are more than rings, some rings have two.
    var slots: Int {
        var slots = 1
        while slots < rings { slots *= 2 }
        return slots
    }

    /// Bytes of all rings.
    var size: Int { ringSize * rings }

    /// One that holds a packet of the largest size.
    static let smallestRing = 128 << 10
    static let largestRing = 1 << 30

    init(bytes: Int?, processors: Int, memory: Int) throws(XDPError) {
        let processors = max(processors, 1)
        let most = max(64 << 20, processors * (2 << 20))
        let bytes = bytes ?? max(min(processors * (16 << 20), most, memory / 16), Self.smallestRing)
        guard bytes >= Self.smallestRing else {
            throw XDPError(
                .invalid, "A buffer of \(bytes) bytes is too small",
                because: "one of \(Self.smallestRing >> 10) KiB holds a packet of the largest size",
                remedy: "Take \(Self.smallestRing >> 10) KiB or more")
        }
        rings = min(processors, bytes / Self.smallestRing)
        let share = bytes / rings
        guard share <= Self.largestRing else {
            throw XDPError(
                .invalid, "A buffer of \(bytes >> 20) MiB is too large",
                because: "\(rings) CPUs write at the same time, and each of them has at most 1 GiB",
                remedy: "Take \(rings) GiB or less")
        }
        ringSize = 1 << (Int.bitWidth - 1 - share.leadingZeroBitCount)
    }

    /// For this machine.
    init(bytes: Int?) throws(XDPError) {
        let pages = sysconf(Int32(_SC_PHYS_PAGES))
        try self.init(
            bytes: bytes, processors: sysconf(Int32(_SC_NPROCESSORS_ONLN)),
            memory: max(pages, 0) * sysconf(Int32(_SC_PAGESIZE)))
    }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Where a packet meets the program (`XDP_FLAGS_…_MODE` in linux/if_link.h).
public enum AttachMode: String, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
    /// In the driver, before a socket buffer exists.
    case native
    /// In the network stack, after the driver made a socket buffer: works everywhere, much slower.
    case generic
    /// On the network card.
    case offload

    /// The flag of link creation and netlink.
    public var flags: UInt32 {
        switch self {
        case .native: UInt32(XDP_FLAGS_DRV_MODE)
        case .generic: UInt32(XDP_FLAGS_SKB_MODE)
        case .offload: UInt32(XDP_FLAGS_HW_MODE)
        }
    }

    public var description: String { rawValue }
}

/// What a program may be attached to (`enum bpf_attach_type`); part of a program since its load.
public enum AttachType: UInt32, Sendable, Hashable {
    /// None given: what old loaders leave in an XDP program.
    case unspecified = 0
    case deviceMap = 33
    case cpuMap = 35
    /// An interface. Linux 5.9.
    case xdp = 37
}

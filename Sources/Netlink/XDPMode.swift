// SPDX-License-Identifier: Apache-2.0
import CBPF

/// Where in the receive path an XDP program runs.
public enum XDPMode: Hashable, Sendable, CaseIterable {
    /// In the driver, before the kernel makes a socket buffer.
    case native
    /// In the network stack, on socket buffers; any interface, slower.
    case generic
    /// On the network card.
    case offload
    /// In a request: native where the driver can do XDP at all, else generic. Never what an interface
    /// reports.
    case unspecified

    /// `XDP_FLAGS_…` of a request.
    var flags: UInt32 {
        switch self {
        case .native: UInt32(XDP_FLAGS_DRV_MODE)
        case .generic: UInt32(XDP_FLAGS_SKB_MODE)
        case .offload: UInt32(XDP_FLAGS_HW_MODE)
        case .unspecified: 0
        }
    }

    /// How errors name it, with “in … mode” around it.
    var phrase: String {
        switch self {
        case .native: " in native mode"
        case .generic: " in generic mode"
        case .offload: " in offload mode"
        case .unspecified: ""
        }
    }
}

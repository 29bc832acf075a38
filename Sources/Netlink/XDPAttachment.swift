// SPDX-License-Identifier: Apache-2.0
import CBPF

/// A program that an interface runs.
public struct XDPAttachment: Hashable, Sendable {
    /// Where it runs.
    public var mode: XDPMode
    /// The kernel's id of the program.
    public var programID: UInt32

    /// An attachment of this program in this mode.
    public init(mode: XDPMode, programID: UInt32) {
        self.mode = mode
        self.programID = programID
    }
}

extension XDPAttachment {
    /// Reads `IFLA_XDP` of `linux/if_link.h`: the program of each mode (an interface may have one on the card
    /// beside one in the driver or the stack), native first.
    static func attachments(in xdp: Attributes) -> [XDPAttachment] {
        let programs: [(Int, XDPMode)] = [
            (IFLA_XDP_DRV_PROG_ID, .native), (IFLA_XDP_SKB_PROG_ID, .generic),
            (IFLA_XDP_HW_PROG_ID, .offload),
        ]
        let perMode = programs.compactMap { type, mode in
            xdp[type]?.uint32.map { XDPAttachment(mode: mode, programID: $0) }
        }
        if !perMode.isEmpty { return perMode }
        // Drivers that report one program only.
        guard let attached = xdp[IFLA_XDP_ATTACHED]?.uint8, let program = xdp[IFLA_XDP_PROG_ID]?.uint32 else {
            return []
        }
        switch Int(attached) {
        case XDP_ATTACHED_DRV: return [XDPAttachment(mode: .native, programID: program)]
        case XDP_ATTACHED_SKB: return [XDPAttachment(mode: .generic, programID: program)]
        case XDP_ATTACHED_HW: return [XDPAttachment(mode: .offload, programID: program)]
        default: return []
        }
    }
}

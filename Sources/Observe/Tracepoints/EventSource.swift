// SPDX-License-Identifier: Apache-2.0
import BPF

/// The kernel's XDP tracepoints, and what is told apart of their arguments (include/trace/events/xdp.h).
enum EventSource: String, CaseIterable {
    case exception = "xdp_exception"
    case redirect = "xdp_redirect"
    /// Until Linux 6.17, and used only until 5.5.
    case redirectMap = "xdp_redirect_map"
    case redirectError = "xdp_redirect_err"
    case redirectMapError = "xdp_redirect_map_err"
    case devmapTransmit = "xdp_devmap_xmit"
    case cpumapEnqueue = "xdp_cpumap_enqueue"
    case cpumapRun = "xdp_cpumap_kthread"
    case bulkTransmit = "xdp_bulk_tx"
    /// Linux 6.6.
    case attachFailed = "bpf_xdp_link_attach_failed"

    /// What becomes of it.
    var kind: XDPEvent.Kind {
        switch self {
        case .exception: .exception
        case .redirect, .redirectMap: .redirect
        case .redirectError, .redirectMapError: .redirectError
        case .devmapTransmit: .devmapTransmit
        case .cpumapEnqueue: .cpumapEnqueue
        case .cpumapRun: .cpumapRun
        case .bulkTransmit: .bulkTransmit
        case .attachFailed: .attachFailed
        }
    }

    /// Whether its absence means nothing, because another one tells the same.
    var isOptional: Bool { self == .redirectMap || self == .redirectMapError }

    /// How a tracepoint's arguments are to be read. They follow each other in the context, 8 bytes each.
    enum Shape {
        /// device, program, verdict
        case exception
        /// device, program, target, error, map type, map id, index (Linux 5.13)
        case redirect
        /// device, program, target, error, map, index
        case redirectWithMap
        /// from, to, sent, dropped, error
        case devmap
        /// map id, processed, dropped, CPU
        case cpumapEnqueue
        /// map id, processed, dropped, and more
        case cpumapRun
        /// device, sent, dropped, error
        case bulk
        /// message
        case message
    }

    /// How this kernel's arguments are to be read; nil where they are not as any known kernel has them.
    func shape(of arguments: [KernelTypes.Argument]) -> Shape? {
        let device = KernelTypes.Argument.structure("net_device")
        let program = KernelTypes.Argument.structure("bpf_prog")
        let number = KernelTypes.Argument.number(4)
        func begins(_ expected: KernelTypes.Argument...) -> Bool { arguments.starts(with: expected) }
        switch self {
        case .exception: return begins(device, program, number) ? .exception : nil
        case .redirect, .redirectMap, .redirectError, .redirectMapError:
            if begins(device, program, .pointer, number, number, number, number) { return .redirect }
            let map = KernelTypes.Argument.structure("bpf_map")
            return begins(device, program, .pointer, number, map, number) ? .redirectWithMap : nil
        case .devmapTransmit: return begins(device, device, number, number, number) ? .devmap : nil
        case .cpumapEnqueue: return begins(number, number, number, number) ? .cpumapEnqueue : nil
        case .cpumapRun: return begins(number, number, number) ? .cpumapRun : nil
        case .bulkTransmit: return begins(device, number, number, number) ? .bulk : nil
        case .attachFailed: return begins(.pointer) ? .message : nil
        }
    }
}

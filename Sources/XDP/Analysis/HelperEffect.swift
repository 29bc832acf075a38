// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What a helper returns and writes, as far as it is the same on every kernel (linux/bpf.h).
///
/// What is not listed returns any number, and may write behind every pointer into a frame that it is given.
struct HelperEffect {
    /// What it writes behind one of its arguments.
    struct Write {
        /// 1 to 5.
        var argument: Int
        var size: Size

        enum Size {
            case bytes(Int)
            /// What another argument says.
            case argument(Int)
            case any
        }
    }

    /// What it calls back.
    struct Callback {
        /// The argument that is the function.
        var function: Int
        /// The argument that is handed on, and which argument of the callback it becomes.
        var context: (argument: Int, parameter: Int)?
        /// Whether it is called at another time, on a stack of its own.
        var isLater = false
    }

    var result = NumberSet.full
    /// Nil where it may write behind every pointer.
    var writes: [Write]?
    var callback: Callback?

    /// Zero, or an error as a negative number.
    static let success = NumberSet(from: -4095, through: 0)

    static let mapLookup: UInt32 = 1
    static let tailCall: UInt32 = 12
    static let redirect: UInt32 = 23
    static let adjustHead: UInt32 = 44
    static let redirectMap: UInt32 = 51
    static let adjustMetadata: UInt32 = 54
    static let adjustTail: UInt32 = 65

    init(_ helper: UInt32) {
        switch helper {
        // map_lookup_elem, ktime_get_ns, tail_call, csum_diff, sk_lookup_tcp, sk_lookup_udp, skc_lookup_tcp,
        // ktime_get_boot_ns, ringbuf_reserve, ringbuf_query, jiffies64, per_cpu_ptr, ktime_get_coarse_ns,
        // map_lookup_percpu_elem, ktime_get_tai_ns
        case 1, 5, 12, 28, 84, 85, 99, 125, 131, 134, 118, 153, 154, 160, 195, 208: writes = []
        // map_update_elem, map_delete_elem, perf_event_output, xdp_adjust_head, xdp_adjust_meta,
        // xdp_adjust_tail, sk_release, map_push_elem, ringbuf_output, xdp_output, xdp_store_bytes
        case 2, 3, 25, 44, 54, 65, 86, 87, 130, 121, 190: (result, writes) = (Self.success, [])
        // ringbuf_submit, ringbuf_discard, spin_lock, spin_unlock
        case 132, 133, 93, 94: writes = []
        // map_pop_elem, map_peek_elem
        case 88, 89: (result, writes) = (Self.success, [Write(argument: 2, size: .any)])
        // trace_printk
        case 6: (result, writes) = (NumberSet(from: -4095, through: 65535), [])
        // get_prandom_u32
        case 7: (result, writes) = (NumberSet(bits: 32), [])
        // get_smp_processor_id, get_numa_node_id
        case 8: (result, writes) = (NumberSet(bits: 16), [])
        case 42: (result, writes) = (NumberSet(from: -1, through: 65535), [])
        case Self.redirect, Self.redirectMap: writes = []
        // fib_lookup
        case 69:
            result = NumberSet(from: -4095, through: 64)
            writes = [Write(argument: 2, size: .argument(3))]
        // tcp_check_syncookie
        case 100: (result, writes) = (Self.success, [])
        // check_mtu
        case 163:
            result = NumberSet(from: -4095, through: 2)
            writes = [Write(argument: 3, size: .bytes(4))]
        // xdp_get_buff_len
        case 188: (result, writes) = (NumberSet(bits: 32), [])
        // xdp_load_bytes
        case 189: (result, writes) = (Self.success, [Write(argument: 3, size: .argument(4))])
        default: setCallback(helper)
        }
    }

    private mutating func setCallback(_ helper: UInt32) {
        switch helper {
        // for_each_map_elem
        case 164:
            result = NumberSet(from: -4095, through: 0xffff_ffff)
            callback = Callback(function: 2, context: (argument: 3, parameter: 4))
        // timer_init, timer_start, timer_cancel, timer_set_callback
        case 169, 171, 172: (result, writes) = (NumberSet(from: -4095, through: 1), [])
        case 170: (result, callback) = (Self.success, Callback(function: 2, isLater: true))
        // loop: at most 2^23 rounds
        case 181:
            result = NumberSet(from: -4095, through: 1 << 23)
            callback = Callback(function: 2, context: (argument: 3, parameter: 2))
        // user_ringbuf_drain
        case 209: callback = Callback(function: 2, context: (argument: 3, parameter: 2))
        default: return
        }
        // What is handed on is written by the callback alone, which is followed.
        writes = []
    }
}

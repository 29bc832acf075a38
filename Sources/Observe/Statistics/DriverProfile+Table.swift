// SPDX-License-Identifier: Apache-2.0

/// Names are those that the drivers of Linux give their counters, up to 6.18; what is said of a driver that this project was not
/// tested with is what its counters are documented to mean.
extension DriverProfile {
    public static let all: [DriverProfile] = software + cloud + cards + embedded

    /// Names that mean the same wherever they are seen: many drivers use them, also such as have no profile.
    public static let usual: [DriverCounterMeaning] =
        [
            // There was no room in a ring, or no buffer.
            "*rx_no_buffer_count", "*rx_missed_errors", "*rx_fifo_errors", "*rx_over_errors",
            "*out_of_buffer", "*rx_nodesc_drop_cnt", "*rx_discards_phy", "*rx_no_dma_resources",
            "*rx_queue_drop_packet_count", "*port.rx_dropped", "*rx_dropped.nic", "*rx_overruns",
            "*pkts_rx_oob", "*rx_hw_drops", "*rx_buff_alloc_err", "*rx_alloc_fail",
        ].map { .init($0, .neverSeen) }
        + [
            "*rx_oversize", "*rx_length_errors", "*rx_long_length_errors", "*rx_oversize_pkts_phy",
            "*rx_jabber",
        ].map { .init($0, .tooLong) }
        // Of all packets, and of each queue's.
        + ["rx_", "rx#_", "rx_queue_#_"].flatMap { start -> [DriverCounterMeaning] in
            [
                .init("\(start)xdp_packets", .seen), .init("\(start)xdp_pass", .passed),
                .init("\(start)xdp_drop", .dropped), .init("\(start)xdp_drops", .dropped),
                .init("\(start)xdp_tx", .sentBack), .init("\(start)xdp_tx_errors", .sendBackFailed),
                .init("\(start)xdp_redirect", .redirected), .init("\(start)xdp_redirects", .redirected),
            ]
        }

    // MARK: - Interfaces without a card

    private static let software: [DriverProfile] = [
        DriverProfile(
            ["veth"], received: .all,
            remark:
                "Packets for which the ring between the two ends has no room are tx_dropped of the other end.",
            counters: [
                .init("rx_queue_#_xdp_packets", .seen), .init("rx_queue_#_xdp_bytes", .bytes),
                .init("rx_queue_#_xdp_drops", .dropped), .init("rx_queue_#_drops", .lost),
                .init("rx_queue_#_xdp_tx", .sentBack), .init("rx_queue_#_xdp_tx_errors", .sendBackFailed),
                .init("rx_queue_#_xdp_redirect", .redirected), .init("tx_queue_#_xdp_xmit", .sent),
                .init("tx_queue_#_xdp_xmit_errors", .sendFailed),
            ],
            equations: [
                Equation(roles: [.seen], outcomes: [.all]),
                Equation(roles: [.dropped], outcomes: [.drop, .aborted]),
                Equation(
                    roles: [.sentBack, .sendBackFailed, .redirected, .lost], outcomes: [.tx, .redirect],
                    surplus: Surplus("packets for which there was no memory", of: [.all])),
                Equation(stack: ["rx_packets"], outcomes: [.all]),
            ]),
        DriverProfile(
            ["tun"], received: .passed,
            remark:
                "Until Linux 6.7 rx_packets has only what was passed; later also what was sent back or redirected. A "
                + "process that writes to a blocking descriptor, or with NAPI, gets its packets dropped uncounted.",
            equations: [
                Equation(
                    stack: ["rx_packets", "rx_dropped"], outcomes: [.all],
                    surplus: Surplus("packets that were passed, and that no protocol wanted", of: [.pass]))
            ]),
    ]

    // MARK: - Virtual machines

    private static let cloud: [DriverProfile] = [
        DriverProfile(
            ["virtio_net"], received: .all,
            remark: "A redirect or tx that failed is counted as such and among the drops, too.",
            counters: [
                .init("rx_xdp_packets", .seen), .init("rx#_xdp_packets", .seen),
                .init("rx_queue_#_xdp_packets", .seen), .init("rx_xdp_drops", .dropped),
                .init("rx#_xdp_drops", .dropped), .init("rx_queue_#_xdp_drops", .dropped),
                .init("rx_xdp_tx", .sentBack), .init("rx#_xdp_tx", .sentBack),
                .init("rx_queue_#_xdp_tx", .sentBack), .init("rx_xdp_redirects", .redirected),
                .init("rx#_xdp_redirects", .redirected), .init("rx_queue_#_xdp_redirects", .redirected),
                .init("tx_xdp_tx", .sent), .init("tx#_xdp_tx", .sent), .init("tx_queue_#_xdp_tx", .sent),
                .init("tx_xdp_tx_drops", .sendFailed), .init("tx#_xdp_tx_drops", .sendFailed),
                .init("tx_queue_#_xdp_tx_drops", .sendFailed),
            ],
            equations: [
                Equation(roles: [.seen], outcomes: [.all]),
                Equation(
                    roles: [.dropped], outcomes: [.drop, .aborted],
                    surplus: Surplus("redirects and tx that failed", of: [.tx, .redirect])),
                Equation(roles: [.sentBack], outcomes: [.tx]),
                Equation(roles: [.redirected], outcomes: [.redirect]),
            ]),
        DriverProfile(
            ["ena"], received: .all,
            remark: "What could not be sent back or redirected is counted as aborted.",
            counters: [
                .init("queue_#_rx_xdp_aborted", .aborted), .init("queue_#_rx_xdp_drop", .dropped),
                .init("queue_#_rx_xdp_pass", .passed), .init("queue_#_rx_xdp_tx", .sentBack),
                .init("queue_#_rx_xdp_invalid", .invalid), .init("queue_#_rx_xdp_redirect", .redirected),
                .init("rx_drops", .neverSeen), .init("rx_overruns", .neverSeen),
            ],
            equations: [
                Equation(roles: [.passed], outcomes: [.pass]),
                Equation(roles: [.dropped], outcomes: [.drop]),
                Equation(
                    roles: [.aborted, .invalid, .sentBack, .redirected], outcomes: [.aborted, .tx, .redirect]),
            ]),
        DriverProfile(
            ["gve"], received: .all,
            counters: [
                .init("rx_xdp_aborted[#]", .aborted), .init("rx_xdp_drop[#]", .dropped),
                .init("rx_xdp_pass[#]", .passed), .init("rx_xdp_tx[#]", .sentBack),
                .init("rx_xdp_redirect[#]", .redirected), .init("rx_xdp_tx_errors[#]", .sendBackFailed),
                .init("rx_xdp_redirect_errors[#]", .redirectFailed), .init("rx_xdp_alloc_fails[#]", .lost),
                .init("tx_xdp_xmit[#]", .sent), .init("tx_xdp_xmit_errors[#]", .sendFailed),
            ],
            equations: [
                Equation(roles: [.passed], outcomes: [.pass]),
                Equation(roles: [.dropped], outcomes: [.drop]),
                Equation(roles: [.sentBack], outcomes: [.tx]),
                Equation(roles: [.redirected], outcomes: [.redirect]),
            ]),
        DriverProfile(
            ["hv_netvsc"], received: .unknown,
            remark: "Packets that take the virtual function (vf_rx_packets) meet the program there.",
            counters: [
                .init("rx_queue_#_xdp_drop", .dropped), .init("rx_queue_#_xdp_tx", .sentBack),
                .init("rx_queue_#_xdp_redirect", .redirected), .init("tx_queue_#_xdp_xmit", .sent),
            ],
            equations: [
                Equation(
                    roles: [.dropped], outcomes: [.drop],
                    surplus: Surplus("aborted, and redirects that failed", of: [.aborted, .redirect]))
            ]),
        DriverProfile(
            ["mana"], received: .unknown,
            counters: [
                .init("rx_#_xdp_drop", .dropped), .init("rx_#_xdp_tx", .sentBack),
                .init("rx_#_xdp_redirect", .redirected), .init("tx_#_xdp_xmit", .sent),
            ],
            equations: [
                Equation(
                    roles: [.dropped], outcomes: [.drop],
                    surplus: Surplus("aborted, and redirects that failed", of: [.aborted, .redirect]))
            ]),
    ]

    // MARK: - Cards

    private static let cards: [DriverProfile] = [
        DriverProfile(
            ["mlx5_core"], received: .passed,
            remark:
                "What a program drops, sends back or redirects is in rx_packets_phy and in the vport's counters alone.",
            counters: [
                .init("rx_xdp_drop", .dropped), .init("rx#_xdp_drop", .dropped),
                .init("rx_xdp_redirect", .redirected), .init("rx#_xdp_redirect", .redirected),
                .init("rx_xdp_tx_xmit", .sentBack), .init("rx#_xdp_tx_xmit", .sentBack),
                .init("rx_xdp_tx_full", .sendBackFailed), .init("rx#_xdp_tx_full", .sendBackFailed),
                .init("tx_xdp_xmit", .sent), .init("tx#_xdp_xmit", .sent), .init("tx_xdp_full", .sendFailed),
                .init("tx#_xdp_full", .sendFailed), .init("rx_xdp_tx_err", .detail),
                .init("rx#_xdp_tx_err", .detail), .init("rx_xdp_tx_cqe", .detail),
                .init("rx#_xdp_tx_cqe", .detail), .init("rx_xdp_tx_mpwqe", .detail),
                .init("rx#_xdp_tx_mpwqe", .detail), .init("rx_xdp_tx_inlnw", .detail),
                .init("rx#_xdp_tx_inlnw", .detail), .init("rx_xdp_tx_nops", .detail),
                .init("rx#_xdp_tx_nops", .detail), .init("tx_xdp_err", .detail),
                .init("tx#_xdp_err", .detail),
                .init("tx_xdp_cqes", .detail), .init("tx#_xdp_cqes", .detail),
                .init("tx_xdp_mpwqe", .detail), .init("tx#_xdp_mpwqe", .detail),
                .init("tx_xdp_inlnw", .detail), .init("tx#_xdp_inlnw", .detail),
                .init("tx_xdp_nops", .detail), .init("tx#_xdp_nops", .detail),
                .init("rx_out_of_buffer", .neverSeen), .init("rx_discards_phy", .neverSeen),
            ],
            equations: [
                Equation(
                    roles: [.dropped], outcomes: [.drop, .aborted],
                    surplus: Surplus("redirects that failed", of: [.redirect])),
                Equation(
                    roles: [.dropped, .sentBack, .sendBackFailed, .redirected],
                    outcomes: [.drop, .aborted, .tx, .redirect]),
                Equation(stack: ["rx_packets"], outcomes: [.pass]),
            ]),
        DriverProfile(
            ["mlx4_en"], received: .unknown,
            counters: [
                .init("rx_xdp_drop", .dropped), .init("rx#_xdp_drop", .dropped),
                .init("rx_xdp_redirect", .redirected), .init("rx#_xdp_redirect", .redirected),
                .init("rx_xdp_redirect_fail", .redirectFailed),
                .init("rx#_xdp_redirect_fail", .redirectFailed),
                .init("rx_xdp_tx", .sentBack), .init("rx#_xdp_tx", .sentBack),
                .init("rx_xdp_tx_full", .sendBackFailed), .init("rx#_xdp_tx_full", .sendBackFailed),
            ],
            equations: [
                Equation(
                    roles: [.dropped], outcomes: [.drop],
                    surplus: Surplus("aborted, and what could not be sent", of: [.aborted, .tx]))
            ]),
        DriverProfile(
            ["ice", "i40e", "iavf", "ixgbe", "ixgbevf", "igb", "igc", "stmmac", "tsnep"], received: .all,
            remark: "It does not count what programs do.",
            counters: [
                .init("rx_missed_errors", .neverSeen), .init("rx_no_buffer_count", .neverSeen),
                .init("rx_no_dma_resources", .neverSeen), .init("rx_queue_#_alloc_failed", .neverSeen),
            ]),
        DriverProfile(
            ["bnxt_en"], received: .all,
            remark: "It does not count what programs do; the card counts packets before they meet one.",
            counters: [
                .init("[#]: rx_discards", .neverSeen), .init("[#]: rx_buf_errors", .neverSeen),
                .init("rx_total_buf_errors", .neverSeen), .init("rx_total_discards", .neverSeen),
            ]),
        DriverProfile(
            ["sfc", "sfc-siena"], received: .all,
            counters: [
                .init("rx_xdp_drops", .dropped), .init("rx_xdp_bad_drops", .lost),
                .init("rx_xdp_tx", .sentBack), .init("rx_xdp_redirect", .redirected),
                .init("rx_nodesc_drops", .neverSeen), .init("port_rx_nodesc_drops", .neverSeen),
            ],
            equations: [
                Equation(roles: [.dropped], outcomes: [.drop]),
                Equation(roles: [.lost, .sentBack, .redirected], outcomes: [.aborted, .tx, .redirect]),
            ]),
        DriverProfile(
            ["nfp"], received: .unknown,
            remark: "These count a program on the card (offload); in native mode it counts nothing of XDP.",
            counters: [
                .init("bpf_pass_pkts", .passed), .init("bpf_pass_bytes", .bytes),
                .init("bpf_app1_pkts", .dropped), .init("bpf_app1_bytes", .bytes),
            ]),
        DriverProfile(
            ["qede"], received: .unknown, counters: [.init("#: xdp_no_pass", .notPassed)],
            equations: [
                Equation(roles: [.notPassed], outcomes: [.drop, .aborted, .tx, .redirect])
            ]),
    ]

    // MARK: - Systems on a chip

    /// Several drivers agreed on these.
    private static let common: [DriverCounterMeaning] = [
        .init("rx_xdp_redirect", .redirected), .init("rx_xdp_pass", .passed), .init("rx_xdp_drop", .dropped),
        .init("rx_xdp_tx", .sentBack), .init("rx_xdp_tx_errors", .sendBackFailed),
        .init("tx_xdp_xmit", .sent), .init("tx_xdp_xmit_errors", .sendFailed),
    ]

    private static let embedded: [DriverProfile] = [
        DriverProfile(
            ["mvneta", "mvpp2", "fec", "mtk_eth_soc"], received: .unknown, counters: common,
            equations: [
                Equation(roles: [.passed], outcomes: [.pass]),
                Equation(
                    roles: [.dropped], outcomes: [.drop, .aborted],
                    surplus: Surplus("redirects and tx that failed", of: [.tx, .redirect])),
            ]),
        DriverProfile(
            ["fsl_enetc", "nxp_enetc4"], received: .unknown,
            counters: [
                .init("Rx ring  # XDP drops", .dropped), .init("Rx ring # XDP drops", .dropped),
                .init("Rx ring  # redirects", .redirected), .init("Rx ring # redirects", .redirected),
                .init("Rx ring  # redirect failures", .redirectFailed),
                .init("Rx ring # redirect failures", .redirectFailed),
                .init("Tx ring  # XDP frames", .sent), .init("Tx ring # XDP frames", .sent),
                .init("Tx ring  # XDP drops", .sendFailed), .init("Tx ring # XDP drops", .sendFailed),
            ]),
        DriverProfile(
            ["fsl_dpaa2_eth"], received: .unknown,
            counters: [
                .init("[drv] xdp drop", .dropped), .init("[drv] xdp tx", .sentBack),
                .init("[drv] xdp tx errors", .sendBackFailed), .init("[drv] xdp redirect", .redirected),
            ]),
    ]
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import Observe
import TestSupport
import Testing

/// The table of drivers, held against what `ethtool -S` prints.
@Suite("Drivers' counters")
struct DriverProfileTests {
    /// What a driver printed: "name: value" a line.
    private static func counters(_ text: String) -> [InterfaceSample.Named] {
        text.split(separator: "\n").compactMap { line in
            guard let colon = line.lastIndex(of: ":"),
                let value = UInt64(line[line.index(after: colon)...].drop { $0 == " " })
            else { return nil }
            return .init(name: String(line[..<colon].drop { $0 == " " }), value: value)
        }
    }

    /// Driver, what it printed, and what is made of it.
    private static let golden: [(String, String, [DriverCounterMeaning.Role: UInt64])] = [
        (
            "virtio_net",
            """
                 rx_drops: 3
                 rx_xdp_packets: 100
                 rx_xdp_tx: 20
                 rx_xdp_redirects: 10
                 rx_xdp_drops: 33
                 rx_kicks: 6137
                 tx_xdp_tx: 7
                 tx_xdp_tx_drops: 1
                 rx0_drops: 3
                 rx0_xdp_packets: 100
                 rx0_xdp_tx: 20
                 rx0_xdp_redirects: 10
                 rx0_xdp_drops: 33
                 tx0_xdp_tx: 7
                 tx0_xdp_tx_drops: 1
            """,
            [.seen: 100, .sentBack: 20, .redirected: 10, .dropped: 33, .sent: 7, .sendFailed: 1]
        ),
        (
            "virtio_net",
            """
                 rx_queue_0_packets: 6
                 rx_queue_0_xdp_packets: 6
                 rx_queue_0_xdp_drops: 2
                 rx_queue_1_packets: 8
                 rx_queue_1_xdp_packets: 8
                 rx_queue_1_xdp_drops: 3
                 tx_queue_0_xdp_tx: 0
            """,
            [.seen: 14, .dropped: 5, .sent: 0]
        ),
        (
            "veth",
            """
                 peer_ifindex: 2
                 rx_queue_0_xdp_packets: 21
                 rx_queue_0_xdp_bytes: 1260
                 rx_queue_0_drops: 2
                 rx_queue_0_xdp_redirect: 1
                 rx_queue_0_xdp_drops: 7
                 rx_queue_0_xdp_tx: 3
                 rx_queue_0_xdp_tx_errors: 1
                 tx_queue_0_xdp_xmit: 4
                 tx_queue_0_xdp_xmit_errors: 5
            """,
            [
                .seen: 21, .lost: 2, .redirected: 1, .dropped: 7, .sentBack: 3, .sendBackFailed: 1, .sent: 4,
                .sendFailed: 5,
            ]
        ),
        (
            "mlx5_core",
            """
                 rx_packets: 5
                 rx_xdp_drop: 50
                 rx_xdp_redirect: 6
                 rx_xdp_tx_xmit: 7
                 rx_xdp_tx_mpwqe: 2
                 rx_xdp_tx_full: 1
                 rx_xdp_tx_err: 0
                 rx_xdp_tx_cqe: 7
                 tx_xdp_xmit: 9
                 rx_out_of_buffer: 11
                 rx0_packets: 5
                 rx0_xdp_drop: 50
                 rx0_xdp_redirect: 6
                 rx0_xdp_tx_xmit: 7
                 rx0_xdp_tx_full: 1
            """,
            [
                .dropped: 50, .redirected: 6, .sentBack: 7, .sendBackFailed: 1, .sent: 9, .neverSeen: 11,
            ]
        ),
        (
            "ena",
            """
                 queue_0_rx_xdp_aborted: 1
                 queue_0_rx_xdp_drop: 2
                 queue_0_rx_xdp_pass: 3
                 queue_0_rx_xdp_tx: 4
                 queue_0_rx_xdp_invalid: 5
                 queue_0_rx_xdp_redirect: 6
                 queue_1_rx_xdp_drop: 20
            """,
            [.aborted: 1, .dropped: 22, .passed: 3, .sentBack: 4, .invalid: 5, .redirected: 6]
        ),
        (
            "gve",
            """
                 rx_xdp_aborted[0]: 1
                 rx_xdp_drop[0]: 2
                 rx_xdp_drop[15]: 3
                 rx_xdp_tx_errors[0]: 4
                 tx_xdp_xmit[3]: 5
            """,
            [.aborted: 1, .dropped: 5, .sendBackFailed: 4, .sent: 5]
        ),
        (
            "sfc",
            """
                 rx_xdp_drops: 8
                 rx_xdp_bad_drops: 1
                 rx_xdp_tx: 2
                 rx_xdp_redirect: 3
            """,
            [.dropped: 8, .lost: 1, .sentBack: 2, .redirected: 3]
        ),
        (
            "hv_netvsc",
            """
                 tx_queue_0_xdp_xmit: 1
                 rx_queue_0_xdp_drop: 2
                 rx_queue_0_xdp_redirect: 3
                 rx_queue_0_xdp_tx: 4
            """,
            [.sent: 1, .dropped: 2, .redirected: 3, .sentBack: 4]
        ),
        (
            "fsl_enetc",
            """
                 Rx ring  0 frames: 9
                 Rx ring  0 XDP drops: 2
                 Rx ring 11 XDP drops: 3
                 Tx ring  0 XDP frames: 4
            """,
            [.dropped: 5, .sent: 4]
        ),
        ("qede", " 0: xdp_no_pass: 4\n 1: xdp_no_pass: 5", [.notPassed: 9]),
        (
            "mvneta", " rx_xdp_pass: 4\n rx_xdp_drop: 5\n rx_xdp_tx_errors: 1",
            [.passed: 4, .dropped: 5, .sendBackFailed: 1]
        ),
        ("bnxt_en", " [0]: rx_discards: 4\n [12]: rx_discards: 5", [.neverSeen: 9]),
    ]

    @Test(
        "what a driver prints is added up by what it means, queues and totals once", arguments: golden.indices
    )
    func sums(_ place: Int) {
        let (driver, text, expected) = Self.golden[place]
        let counters = Self.counters(text)
        #expect(DriverProfile.of(driver) != nil)
        let explained = ExplainedCounters(counters, of: driver)
        for role in DriverCounterMeaning.Role.allCases where role != .bytes && role != .detail {
            #expect(explained.sum(role) == expected[role], "\(driver): \(role)")
        }
    }

    @Test("a pattern takes numbers where it has a mark for them, and nothing else")
    func patterns() {
        let meaning = DriverCounterMeaning("rx_queue_#_xdp_drops", .dropped)
        #expect(meaning.matches("rx_queue_0_xdp_drops") && meaning.matches("rx_queue_127_xdp_drops"))
        for name in [
            "rx_queue__xdp_drops", "rx_queue_a_xdp_drops", "rx_queue_0_xdp_drop", "rx_queue_0_xdp_drops2", "",
            "rx_queue_0_xdp_dropsx", "xrx_queue_0_xdp_drops",
        ] {
            #expect(!meaning.matches(name), "\(name)")
        }
        #expect(!DriverCounterMeaning("a#", .seen).matches("a"))
        #expect(DriverCounterMeaning("a#b#", .seen).matches("a1b22"))
        let end = DriverCounterMeaning("*rx_jabber", .tooLong)
        for name in ["rx_jabber", "port.rx_jabber", "mac_rx_jabber", "a_b.c_rx_jabber"] {
            #expect(end.matches(name), "\(name)")
        }
        for name in ["xrx_jabber", "rx_jabbers", "rx_jabber_", "jabber", "", "_", "."] {
            #expect(!end.matches(name), "\(name)")
        }
    }

    @Test("names that many drivers use mean the same of a driver that nobody knows, and queues have one name")
    func usual() {
        let counters = Self.counters(
            """
                 rx_no_buffer_count: 3
                 mac.rx_oversize: 4
                 rx_xdp_drop: 9
                 rx0_xdp_drop: 4
                 rx1_xdp_drop: 5
                 rx_queue_0_xdp_packets: 20
                 rx_queue_1_xdp_packets: 30
                 tx_packets: 100
            """)
        let explained = ExplainedCounters(counters, of: "unheard_of")

        #expect(explained.sum(.dropped) == 9 && explained.sum(.seen) == 50 && explained.sum(.sentBack) == nil)
        #expect(explained.counters(.neverSeen) == [.init(name: "rx_no_buffer_count", value: 3)])
        #expect(explained.counters(.tooLong) == [.init(name: "mac.rx_oversize", value: 4)])
        #expect(explained.counters(.seen) == [.init(name: "rx_queue_*_xdp_packets", value: 50)])
        #expect(explained.names(of: .dropped) == ["rx_xdp_drop"])
        // What a driver says itself comes first.
        #expect(DriverProfile.meaning(of: "rx_xdp_tx_errors", driver: "veth")?.role == .sendBackFailed)
        #expect(DriverProfile.meaning(of: "rx_xdp_tx_err", driver: "mlx5_core")?.role == .detail)
        #expect(DriverProfile.meaning(of: "rx_packets", driver: "mlx5_core") == nil)
    }

    @Test("every driver is in the table once, and no pattern of it means two things")
    func table() {
        var drivers: Set<String> = []
        for profile in DriverProfile.all {
            for driver in profile.drivers { #expect(drivers.insert(driver).inserted, "\(driver)") }
            #expect(
                Set(profile.counters.map(\.pattern)).count == profile.counters.count, "\(profile.drivers)")
            for equation in profile.equations {
                #expect(!equation.outcomes.isEmpty && !(equation.roles.isEmpty && equation.stack.isEmpty))
                let known = Set(profile.counters.map(\.role))
                #expect(equation.roles.allSatisfy(known.contains), "\(profile.drivers)")
            }
        }
        #expect(DriverProfile.of("no such driver") == nil)
    }

    @Test("the documentation has every driver, and every counter of it")
    func documented() throws {
        let root = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let text = try String(contentsOfFile: "\(root)/Documentation/stats.md", encoding: .utf8)
        for profile in DriverProfile.all {
            for driver in profile.drivers { #expect(text.contains("`\(driver)`"), "\(driver)") }
            for counter in profile.counters where counter.role != .detail && counter.role != .bytes {
                // Some drivers fill one digit up with a space.
                let pattern = counter.pattern.replacing("  #", with: " #")
                #expect(text.contains("`\(pattern)`"), "\(profile.drivers): \(pattern)")
            }
        }
        for counter in DriverProfile.usual where counter.pattern.hasPrefix("*") {
            let name = counter.pattern.dropFirst()
            #expect(text.contains("`\(name)`"), "\(name)")
        }
    }
}

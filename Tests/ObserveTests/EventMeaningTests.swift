// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Observe

/// What events mean, as Documentation/monitor.md has it.
@Suite("What events mean")
struct EventMeaningTests {
    /// An event for each rule.
    static let samples: [(rule: String, event: XDPEvent)] = [
        ("aborted", event(.exception)),
        ("transmit-failed", event(.exception, verdict: 3)),
        ("redirect-failed", event(.exception, verdict: 4)),
        ("unknown-verdict", event(.exception, verdict: 7)),
        ("exception", event(.exception, verdict: 2)),
        ("redirect-nowhere", event(.redirectError, EBADRQC)),
        ("redirect-missing", event(.redirectError, EINVAL, target: 5)),
        ("redirect-target", event(.redirectError, EOPNOTSUPP, target: 5)),
        ("redirect-down", event(.redirectError, ENETDOWN, target: 5)),
        ("redirect-size", event(.redirectError, EMSGSIZE, target: 5)),
        ("redirect-headroom", event(.redirectError, EOVERFLOW, target: 5)),
        ("redirect-cpumap", event(.redirectError, EBADRQC, mapType: 16)),
        ("cpumap-full", event(.redirectError, ENOSPC, mapType: 16)),
        ("socket-unbound", event(.redirectError, ENXIO, mapType: 17)),
        ("socket-queue", event(.redirectError, EINVAL, mapType: 17)),
        ("socket-fill", event(.redirectError, ENOMEM, mapType: 17)),
        ("socket-full", event(.redirectError, ENOBUFS, mapType: 17)),
        ("socket-room", event(.redirectError, ENOSPC, mapType: 17)),
        ("redirect-entry", event(.redirectError, EINVAL, mapType: 14)),
        ("redirect-error", event(.redirectError, EIO, target: 5)),
        ("transmit-peer", event(.bulkTransmit, ENXIO)),
        ("transmit-down", event(.bulkTransmit, ENETDOWN)),
        ("transmit-full", event(.bulkTransmit)),
        ("devmap-queue", event(.devmapTransmit, ENXIO, target: 5)),
        ("devmap-down", event(.devmapTransmit, ENETDOWN, target: 5)),
        ("devmap-full", event(.devmapTransmit, target: 5)),
        ("cpumap-queue", event(.cpumapEnqueue, mapType: 16)),
        ("cpumap-memory", event(.cpumapRun, mapType: 16)),
        ("attach-offloads", failure("Can't enable XDP while LRO is on")),
        ("attach-mtu", failure("Peer MTU is too large to set XDP")),
        ("attach-queues", failure("Not enough queues for XDP")),
        ("attach-native", failure("Underlying driver does not support XDP in native mode")),
        ("attach-taken", failure("Native and generic XDP can't be active at the same time")),
        ("attach-failed", failure("It is raining")),
        ("redirected", event(.redirect, target: 5, dropped: 0)),
    ]

    private static func event(
        _ kind: XDPEvent.Kind, _ error: CInt = 0, target: UInt32 = 0, mapType: UInt32 = 0,
        verdict: UInt32 = 0,
        dropped: UInt64 = 1
    ) -> XDPEvent {
        XDPEvent(
            key: XDPEvent.Key(
                kind: kind, program: 7, interface: 3, namespace: 1, target: target, targetNamespace: 1,
                map: mapType == 0 ? 0 : 9, mapType: mapType, mapKey: 0, error: -error, verdict: verdict),
            time: 1, dropped: dropped, sent: 1 - dropped)
    }

    private static func failure(_ text: String) -> XDPEvent {
        XDPEvent(
            key: XDPEvent.Key(kind: .attachFailed), time: 1, text: text, process: 4711, command: "loader")
    }

    private static let names: EventNames = {
        var names = EventNames(interface: "IFACE", target: "TARGET", program: "PROGRAM", map: "MAP")
        names.targetMTU = 1500
        return names
    }()

    @Test("each rule has an event that it is for")
    func rules() {
        for (rule, event) in Self.samples {
            #expect(EventMeaning(event).rule == rule)
        }
        #expect(Set(EventMeaning.rules) == Set(Self.samples.map(\.rule)))
    }

    /// The table as the page has it, a row for each rule.
    static var table: String {
        samples.map { rule, event in
            let meaning = EventMeaning(event, names: names)
            return "| `\(rule)` | \(meaning.what) | \(meaning.meaning) | \(meaning.remedy ?? "") |\n"
        }.joined()
    }

    @Test("the page has the words that are printed")
    func page() throws {
        let path =
            "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            + "/Documentation/monitor.md"
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 18)
        let count = fread(&bytes, 1, bytes.count, file)
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        let isThere = text.contains(Self.table)
        #expect(isThere, "It shall be:\n\(Self.table)")
    }

    @Test("what is known of the interfaces takes the place of what is true in general")
    func causes() {
        var names = Self.names
        names.targetObstacle = "TARGET (veth) has no ndo-xmit"
        names.targetRemedy = "`ethtool -K PEER gro on`"
        names.members = ["ids", "lb"]
        let redirect = EventMeaning(Self.event(.redirectError, EOPNOTSUPP, target: 5), names: names)
        #expect(redirect.meaning == "packets were dropped: TARGET (veth) has no ndo-xmit")
        #expect(redirect.remedy == "`ethtool -K PEER gro on`")
        #expect(
            EventMeaning(Self.event(.exception), names: names).meaning.hasSuffix(
                "so far ids and lb answered so"))
    }

    @Test("numbers stand for names that are not known")
    func numbers() {
        let event = Self.event(.redirectError, EOPNOTSUPP, target: 5, mapType: 14)
        #expect(EventMeaning(event).what == "program 7 could not redirect to interface 5 (entry 0 of map 9)")
    }

    @Test("where nothing was dropped nothing is wrong")
    func fine() {
        for kind in [XDPEvent.Kind.devmapTransmit, .bulkTransmit, .cpumapEnqueue, .cpumapRun, .redirect] {
            let meaning = EventMeaning(Self.event(kind, target: 5, dropped: 0))
            #expect(meaning.remedy == nil && meaning.meaning == "as it should be", "\(kind)")
        }
    }
}

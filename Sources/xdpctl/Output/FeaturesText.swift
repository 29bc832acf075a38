// SPDX-License-Identifier: Apache-2.0
import XDP

/// Writes what interfaces give for people, on 80 columns.
struct FeaturesText {
    private(set) var lines: [String] = []

    /// All of a namespace: a line for each, then what stands in the way.
    init(all interfaces: [InterfaceFeatures]) {
        addTable(interfaces)
        for features in interfaces where !features.obstacles.isEmpty {
            lines += ["", Terminal.bold(features.name)]
            lines += features.obstacles.flatMap(Self.short)
        }
        addReasons(interfaces)
    }

    /// One in full.
    init(one features: InterfaceFeatures) {
        let state = features.isUp ? "up" : "down"
        lines.append(
            "\(Terminal.bold(features.name))  \(features.kind ?? "interface"), \(state), MTU \(features.mtu)")
        for (title, text) in Self.rows(features) {
            let start = "  " + title.padding(to: Self.titleWidth) + "  "
            lines.append(start + Terminal.wrapped(text, indent: start.count, column: start.count))
        }
        guard !features.obstacles.isEmpty else { return }
        lines += ["", "  In the way:"]
        lines += features.obstacles.map { CheckOutput($0).text }
    }

    // MARK: - All

    private mutating func addTable(_ interfaces: [InterfaceFeatures]) {
        var table = TextTable([.left, .left, .left, .left, .right])
        table.add("INTERFACE", "DRIVER", "NATIVE", "QUEUES", "MTU")
        for features in interfaces {
            table.add(
                features.name, features.driver?.name ?? "-", features.native.word,
                features.queues.map(Self.short) ?? "-", "\(features.mtu)")
        }
        let rows = table.lines(indent: 0)
        let column = (rows.map(\.count).max() ?? 0) + 2
        let texts = ["IT CAN"] + interfaces.map(Self.abilities)
        for (place, (row, text)) in zip(rows, texts).enumerated() {
            let line = row.padding(to: column) + Terminal.wrapped(text, indent: column, column: column)
            lines.append(place == 0 ? Terminal.bold(line) : line)
        }
    }

    /// Why something is unknown, once for all interfaces of which it is.
    private mutating func addReasons(_ interfaces: [InterfaceFeatures]) {
        var reasons: [String] = []
        for features in interfaces {
            let answers =
                [features.native] + InterfaceFeatures.Feature.allCases.compactMap { features.features[$0] }
            for case .unknown(let reason) in answers where !reasons.contains(reason) {
                reasons.append(reason)
            }
        }
        if !reasons.isEmpty { lines.append("") }
        lines += reasons.map { Terminal.wrapped("unknown: \($0)", indent: 4) }
    }

    /// What can be done, in words.
    private static func abilities(_ features: InterfaceFeatures) -> String {
        let known: [(InterfaceFeatures.Feature, String)] = [
            (.redirect, "redirect"), (.transmit, "be redirected to"), (.receiveFragments, "take frags"),
            (.zeroCopy, "AF_XDP zero copy"), (.offload, "run on the card"),
        ]
        if features.native == .unsupported, features.features[.transmit] != .supported {
            return "nothing in native mode"
        }
        var words = known.filter { features.features[$0.0] == .supported }.map(\.1)
        let hints = names(features.receiveMetadata) + names(features.transmitMetadata)
        if !hints.isEmpty { words.append("give \(hints.joined(separator: ", "))") }
        let unknown = known.filter { features.features[$0.0]?.reason != nil }.map(\.1)
        if unknown.count == known.count { return "unknown" }
        words += unknown.map { "\($0)?" }
        return words.isEmpty ? "nothing in native mode" : words.joined(separator: ", ")
    }

    private static func short(_ queues: InterfaceFeatures.Queues) -> String {
        if queues.combined > 0 { return "\(queues.combined)" }
        return "\(queues.receive)+\(queues.transmit)"
    }

    /// Without evidence and consequence, which the interface in full has.
    private static func short(_ finding: CheckFinding) -> [String] {
        var lines = [
            Terminal.paragraph("\(finding.severity.rawValue): \(finding.what)", indent: 6, column: 2)
        ]
        if let remedy = finding.remedy { lines.append(Terminal.paragraph("do: \(remedy)", indent: 6)) }
        return lines
    }

    // MARK: - One

    private static let titleWidth = 17

    private static func rows(_ features: InterfaceFeatures) -> [(String, String)] {
        var rows: [(String, String)] = []
        if let driver = features.driver {
            let parts = [
                driver.name, driver.version, driver.firmware.isEmpty ? "" : "firmware \(driver.firmware)",
                driver.bus,
            ]
            rows.append(("driver", parts.filter { !$0.isEmpty }.joined(separator: ", ")))
        }
        rows.append(("native mode", words(features.native)))
        let titles: [(InterfaceFeatures.Feature, String)] = [
            (.redirect, "redirect from it"), (.transmit, "redirect to it"), (.receiveFragments, "frags in"),
            (.transmitFragments, "frags out"), (.offload, "on the card"), (.zeroCopy, "AF_XDP zero copy"),
        ]
        for (feature, title) in titles {
            var text = words(features.features[feature])
            if feature == .zeroCopy, let count = features.zeroCopySegments {
                text += ", \(count) buffers a packet"
            }
            rows.append((title, text))
        }
        rows.append(("hints on receipt", hints(features.receiveMetadata)))
        rows.append(("hints on sending", hints(features.transmitMetadata)))
        rows.append(("without frags", mtu(features)))
        if let queues = features.queues { rows.append(("queues", text(queues))) }
        if let rings = features.rings {
            rows.append(
                (
                    "rings",
                    "\(rings.receive) receive of at most \(rings.maximumReceive), "
                        + "\(rings.transmit) transmit of at most \(rings.maximumTransmit)"
                ))
        }
        if !features.offloads.isEmpty {
            rows.append(
                (
                    "offloads",
                    features.offloads.sorted { $0.key < $1.key }.map {
                        "\($0.key) \($0.value ? "on" : "off")"
                    }
                    .joined(separator: ", ")
                ))
        }
        if let peer = features.peer { rows.append(("peer", text(peer))) }
        return rows + features.evidence.map { ("evidence", $0) }
    }

    private static func words(_ answer: Support?) -> String {
        guard let answer else { return "unknown" }
        return answer.reason.map { "unknown: \($0)" } ?? answer.word
    }

    private static func hints<Key>(_ answers: [Key: Support]) -> String
    where Key: CaseIterable & RawRepresentable<String> {
        let known = names(answers)
        if !known.isEmpty { return known.joined(separator: ", ") }
        return answers.values.first { $0.reason != nil }.map { words($0) } ?? "none"
    }

    private static func names<Key>(_ answers: [Key: Support]) -> [String]
    where Key: CaseIterable & RawRepresentable<String> {
        Key.allCases.filter { answers[$0] == .supported }.map(\.rawValue)
    }

    /// Programs that take a packet in one buffer.
    private static func mtu(_ features: InterfaceFeatures) -> String {
        let single = features.singleBuffer
        let size = features.peer?.mtu ?? features.mtu
        let whose = features.peer == nil ? "" : " of the peer"
        var text: String
        switch single.atPresentMTU {
        case .supported: text = "MTU \(size)\(whose): ok without frags"
        case .unsupported where features.native == .unsupported: return "no native mode"
        case .unsupported:
            text = "MTU \(size)\(whose): refused"
            if let message = single.kernelMessage { text += ", the kernel said: \(message)" }
        case .unknown(let reason): text = "MTU \(size)\(whose): unknown; \(reason)"
        }
        if let largest = single.largestMTU { text += ", at most \(largest)" }
        return text
    }

    private static func text(_ queues: InterfaceFeatures.Queues) -> String {
        let kinds = [
            (queues.combined, queues.maximumCombined, ""),
            (queues.receive, queues.maximumReceive, " receive"),
            (queues.transmit, queues.maximumTransmit, " transmit"),
        ]
        return kinds.filter { $0.1 > 0 }.map { "\($0.0)\($0.2) of at most \($0.1)" }.joined(separator: ", ")
    }

    private static func text(_ peer: InterfacePeer) -> String {
        var parts = [peer.isUp ? "up" : "down", "MTU \(peer.mtu)"]
        parts.append(peer.gro.map { "GRO \($0 ? "on" : "off")" } ?? "GRO unknown")
        parts.append(peer.nativeProgramID.map { "runs program \($0) natively" } ?? "no native program")
        return "\(peer.description): \(parts.joined(separator: ", "))"
    }
}

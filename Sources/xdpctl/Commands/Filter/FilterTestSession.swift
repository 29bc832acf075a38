// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// The packets of one `filter test`, one after the other.
struct FilterTestSession {
    private var trial: PacketTrial
    private var output: FilterTestOutput
    private let text: FilterTestText
    private let expected: Verdict?
    private let showsEach: Bool
    private let isJSON: Bool
    private var unexpected: UInt64 = 0
    private var shown: UInt64 = 0

    init(trial: PacketTrial, file: String, expected: Verdict?, showsEach: Bool, isJSON: Bool) {
        self.trial = trial
        self.expected = expected
        self.showsEach = showsEach
        self.isJSON = isJSON
        output = FilterTestOutput(rules: file, expect: expected)
        text = FilterTestText(file: file == "-" ? "standard input" : file)
        for warning in trial.warnings where !isJSON { Terminal.error(warning.description) }
    }

    mutating func show(_ packet: WrittenPacket) {
        let decision = trial.show(packet)
        let entry = note(decision, packet.text, file: nil, number: nil)
        if isJSON { return output.packets.append(entry) }
        for line in text.lines(of: entry) { print(line) }
    }

    mutating func show(file path: String) throws(XDPError) {
        let input = try CaptureFileInput(
            path, ifMissing: "A packet in words is quoted: 'tcp from 1.2.3.4 to 5.6.7.8:22 syn'")
        let name = input.name
        var reader = try CaptureReader(name: name) { () throws(XDPError) in try input.next() }
        var seen = PacketTrial.Tally()
        var first: UInt64?
        while let packet = try reader.next() {
            let start = first ?? packet.nanoseconds
            first = start
            let time = packet.nanoseconds > start ? packet.nanoseconds - start : 0
            let decision = trial.show(packet, at: time)
            seen.packets += 1
            seen.bytes += UInt64(packet.length)
            let isUnexpected = expected.map { $0 != decision.verdict } ?? false
            guard showsEach || isUnexpected && !isJSON else {
                count(decision)
                continue
            }
            let words = PacketFields(packet: packet.bytes, length: packet.length).text
            let entry = note(decision, words, file: name, number: Int(seen.packets))
            if isJSON { output.packets.append(entry) } else { print(text.line(of: entry)) }
        }
        output.captures.append(
            .init(file: name, packets: seen.packets, bytes: seen.bytes, isCutShort: reader.isCutShort))
    }

    /// Prints what is left; whether a packet was not as expected.
    mutating func finish() -> Bool {
        output.close(trial)
        if expected != nil { output.unexpected = unexpected }
        if isJSON {
            JSONOutput.print(output)
        } else if !output.captures.isEmpty {
            if showsEach { print("") }
            for line in text.summary(output) { print(line) }
        }
        if let expected, unexpected > 0, !isJSON {
            Terminal.error(
                "xdpctl: \(Number.grouped(unexpected)) of \(Number.grouped(shown)) packets did not get the "
                    + "verdict \(expected)")
        }
        return unexpected > 0
    }

    private mutating func note(
        _ decision: Decision, _ words: String, file: String?, number: Int?
    ) -> FilterTestOutput.PacketOutput {
        count(decision)
        let rules = trial.rules
        return FilterTestOutput.PacketOutput(
            packet: words, file: file, number: number, verdict: decision.verdict.description,
            redirectedTo: decision.redirect, rule: .init(decision.rule, of: rules),
            matched: decision.matched.map { .init($0, of: rules) },
            expected: expected.map { $0 == decision.verdict })
    }

    private mutating func count(_ decision: Decision) {
        shown += 1
        if let expected, decision.verdict != expected { unexpected += 1 }
    }
}

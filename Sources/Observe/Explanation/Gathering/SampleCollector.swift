// SPDX-License-Identifier: Apache-2.0
import Filter
import XDP

/// Looks at packets that are captured, and keeps what is evidence.
package struct SampleCollector {
    package private(set) var facts = SampleFacts()
    private var seen = 0

    package init() {}

    /// More packets are not looked at.
    private static let most = 20_000
    private static let examples = 3

    /// - Parameters:
    ///   - bytes: the packet's, from the Ethernet header.
    ///   - length: of the whole packet.
    package mutating func take(_ bytes: [UInt8], length: Int, member: String, verdict: Verdict?) {
        seen += 1
        guard seen <= Self.most else { return }
        let place =
            facts.groups.firstIndex { $0.member == member && $0.verdict == verdict } ?? facts.groups.endIndex
        if place == facts.groups.endIndex {
            facts.groups.append(SampleFacts.Group(member: member, verdict: verdict))
        }
        let fields = PacketFields(packet: bytes, length: length)
        facts.groups[place].packets += 1
        facts.groups[place].longest = max(facts.groups[place].longest, length)
        if fields.numbers[.vlan] != nil { facts.groups[place].tagged += 1 }
        if bytes.count == length, let isRight = ChecksumCheck.isRight(bytes, fields) {
            facts.groups[place].checked += 1
            if !isRight { facts.groups[place].wrong += 1 }
        }
        if facts.groups[place].examples.count < Self.examples {
            let text = PacketSummary(fields).description
            if !facts.groups[place].examples.contains(text) { facts.groups[place].examples.append(text) }
        }
    }
}

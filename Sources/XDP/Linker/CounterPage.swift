// SPDX-License-Identifier: Apache-2.0
import BPF

/// The layout of the maps that count verdicts: per-CPU arrays of one value.
///
/// | Offset in the value | Content |
/// |---|---|
/// | slot × 112 | the counters of one member |
/// | + code × 16 | packets, then bytes (8 each) with that verdict; code 5 stands for every other code |
/// | + 96 | packets that could not be handed to the member (8, then 8 unused) |
public enum CounterPage {
    /// Members on one page.
    public static let members = 64
    /// Bytes of one member.
    package static let memberSize = 112
    /// Bytes of one verdict.
    static let verdictSize = 16
    /// Where in a member's place the packets are counted that could not be handed to it.
    static let missedOffset = 96

    /// What a page is made from; the name tells it apart in `bpftool map`.
    package static let definition = MapDefinition(
        name: "xdpctl_count", type: .perCPUArray, keySize: 4, valueSize: UInt32(members * memberSize),
        maximumEntries: 1)

    /// Adds up the counters of one slot over all CPUs; `value` is what a lookup from user space yields.
    static func counters(slot: Int, in value: [UInt8]) -> MemberCounters {
        var sum = MemberCounters()
        let reader = ByteReader(value)
        let stride = Int(definition.valueSize)
        for cpu in 0..<(value.count / max(stride, 1)) {
            for code in sum.values.indices {
                let offset = cpu * stride + slot * memberSize + code * verdictSize
                guard let packets: UInt64 = reader.integer(at: offset),
                    let bytes: UInt64 = reader.integer(at: offset + 8)
                else { continue }
                sum.values[code] = sum.values[code] &+ Counter(packets: packets, bytes: bytes)
            }
        }
        return sum
    }
}

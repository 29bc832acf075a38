// SPDX-License-Identifier: Apache-2.0
import BPF
import Capture
import XDP

/// The page that a meter's code and the process that reads it share: the guard's map of its ``Tap``.
///
/// | Offset | Content |
/// |---|---|
/// | 0 | 4 bytes: the guard's word (``TapGuard``), as ``CapturePage`` has it |
/// | 64 + 16 × point | 8 bytes: nanoseconds from the point before to this one, of the packets that were measured |
/// | … + 8 | 8 bytes: how many these were |
/// | 16448 + 64 × (cpu & 1023) | 8 bytes: packets since the last one that was measured |
enum MeterPage {
    static let sums = 64
    static let countOffset: Int16 = 8
    static let packets = sums + 16 * Tap.maximumPoints
    static let size = packets + 64 * CapturePage.processors

    static let definition = MapDefinition(
        name: "xdpctl_meter", type: .array, keySize: 4, valueSize: UInt32(size), maximumEntries: 1,
        flags: MappedValue.mapFlag)
}

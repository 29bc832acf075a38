// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// The page that a capture's code and the process that reads it share: the guard's map of its ``Tap``.
///
/// | Offset | Content |
/// |---|---|
/// | 0 | 4 bytes: the guard's word (``TapGuard``) |
/// | 8 | 4 bytes: not 0 while the reader sleeps: so many bytes in a ring wake it, once |
/// | 64 + 8 × point | 8 bytes: records of the point that were lost because the ring had no room |
/// | 16384 + 64 × (cpu & 1023) | 8 bytes: packets of which the sample took none since the last one |
/// | … + 8 | 8 bytes: how many packets this CPU numbered |
public enum CapturePage {
    public static let guardWord = 0
    public static let wakeup = 8
    public static let lost = 64
    public static let samples = 16_384
    /// CPUs that have a place of their own; others share them.
    public static let processors = 1024
    static let numberOffset: Int16 = 8
    public static let size = samples + 64 * processors

    public static func lostOffset(ofPoint point: Int) -> Int { lost + 8 * point }

    public static let definition = MapDefinition(
        name: "xdpctl_capture", type: .array, keySize: 4, valueSize: UInt32(size), maximumEntries: 1,
        flags: MappedValue.mapFlag)
}

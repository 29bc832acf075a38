// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// The page that a capture's code and the process that reads it share: the guard's map of its ``Tap``.
///
/// | Offset | Content |
/// |---|---|
/// | 0 | 4 bytes: the guard's word (``TapGuard``) |
/// | 64 + 8 × point | 8 bytes: records of the point that were lost because the ring had no room |
/// | 16384 + 64 × (cpu & 255) | 8 bytes: packets of which the sample took none since the last one |
public enum CapturePage {
    public static let guardWord = 0
    public static let lost = 64
    public static let samples = 16_384
    public static let size = samples + 64 * 256

    public static func lostOffset(ofPoint point: Int) -> Int { lost + 8 * point }

    public static let definition = MapDefinition(
        name: "xdpctl_capture", type: .array, keySize: 4, valueSize: UInt32(size), maximumEntries: 1,
        flags: MappedValue.mapFlag)
}

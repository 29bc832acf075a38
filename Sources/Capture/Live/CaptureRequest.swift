// SPDX-License-Identifier: Apache-2.0
import XDP

/// What somebody wants to capture.
public struct CaptureRequest: Sendable, Hashable {
    /// For people: as it was typed.
    public var purpose = ""
    public var selection = TapSelection(end: true)
    /// Which packets, by a pcap expression; the empty one takes all.
    public var program = ClassicProgram(expression: "", instructions: [])
    /// Only packets with one of these verdicts, where the point has one; nil takes all. A code that is no verdict counts as
    /// `aborted`, which the kernel makes of it.
    public var verdicts: Set<Verdict>?
    /// Of each so many packets that match, one is taken, at all of its points. 1 takes all.
    public var every: UInt32 = 1
    /// Bytes of a packet at most, 1…262144. More than 98303, or 9216 before Linux 5.18, are never kept.
    public var snapLength: UInt32 = 262_144
    /// Bytes of all rings together, at most; nil chooses by the number of CPUs (``CaptureSession/bufferSize``).
    public var bufferSize: Int?
    /// How to attach where nothing is attached yet.
    public var mode = ModeRequest.native

    public init() {}

    /// What ``snapLength`` can be.
    public static let snapLengths: ClosedRange<UInt32> = 1...262_144
}

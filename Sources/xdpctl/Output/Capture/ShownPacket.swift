// SPDX-License-Identifier: Apache-2.0
import Capture
import Filter
import XDP

/// A packet that is shown, whether it came just now or from a file.
struct ShownPacket {
    var place: CapturePlace
    /// Since 1970, UTC.
    var nanoseconds: UInt64
    var bytes: [UInt8]
    var length: Int
    /// What the program returned; nil where it had not yet, and where nobody knows.
    var code: UInt64?
    var queue: UInt32?
    var cpu: UInt32?
    var packetID: UInt64?
    var comments: [String] = []

    init(_ frame: CapturedFrame, _ bytes: [UInt8], interface: String) {
        let record = frame.record
        place = CapturePlace(interface: interface, point: frame.point)
        nanoseconds = frame.wallTime
        self.bytes = bytes
        length = Int(record.length)
        code = record.verdict == Tap.noVerdict ? nil : UInt64(record.verdict)
        queue = record.queue
        cpu = record.cpu
        packetID = record.packet
    }

    init(_ packet: CapturedPacket, _ place: CapturePlace) {
        self.place = place
        nanoseconds = packet.nanoseconds
        bytes = packet.bytes
        length = packet.length
        code = packet.verdict
        queue = packet.queue
        packetID = packet.packetID
        comments = packet.comments
    }

    /// What the packet gets: a code that is none counts as aborted.
    var verdict: Verdict? {
        guard let code else { return nil }
        // The verdict is 32 bits of what is returned.
        return Verdict(rawValue: UInt32(truncatingIfNeeded: code)) ?? .aborted
    }

    /// Whether ``code`` is no verdict.
    var isUnknown: Bool {
        code.map { Verdict(rawValue: UInt32(truncatingIfNeeded: $0)) == nil } ?? false
    }
}

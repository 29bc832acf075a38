// SPDX-License-Identifier: Apache-2.0
import Filter
import Packets
import XDP

@testable import Capture

/// A capture that tests write, and read again.
struct WrittenCapture {
    static let points = [
        TapPoint(.start), TapPoint(.entry, member: "ids"), TapPoint(.exit, member: "ids"),
        TapPoint(.end, member: "ids"), TapPoint(.end, member: "lb"),
    ]
    /// 2026-11-23 01:02:03 UTC.
    static let time: UInt64 = 1_795_395_723_000_000_000

    static func frame(
        _ point: Int, verdict: UInt32 = Tap.noVerdict, packet: UInt64 = 1, length: Int, captured: Int? = nil,
        queue: UInt32 = 0, time: UInt64 = time
    ) throws -> CapturedFrame {
        var bytes: [UInt8] = []
        for number in [time, packet] { withUnsafeBytes(of: number) { bytes += $0 } }
        let captured = captured ?? length
        for number in [UInt32(length), UInt32(captured), UInt32(point), verdict, queue, 0] {
            withUnsafeBytes(of: number) { bytes += $0 }
        }
        bytes += [UInt8](repeating: 0, count: captured)
        guard let record = CaptureRecord(bytes.span.bytes) else { throw NoRecord() }
        return CapturedFrame(record: record, wallTime: time, point: points[point])
    }

    struct NoRecord: Error {}

    static func writer(
        _ path: String, rotation: CaptureRotation = CaptureRotation(), isUnbuffered: Bool = false,
        request: CaptureRequest = CaptureRequest()
    ) throws -> CapturePointWriter {
        let file = try CaptureFileWriter(
            path: path,
            origin: CaptureOrigin(hardware: "x86_64", system: "Linux 6.18", application: "xdpctl 0"),
            rotation: rotation, isUnbuffered: isUnbuffered, at: time)
        return CapturePointWriter(
            file, interface: "eth0", request: request, system: "Linux 6.18", points: Array(points.prefix(3)))
    }

    /// Everything that our reader finds.
    static func read(
        _ bytes: [UInt8]
    ) throws -> (packets: [CapturedPacket], reader: CaptureReader) {
        var left = bytes[...]
        var reader = try CaptureReader(name: "test") { () throws(XDPError) in
            defer { left = left.dropFirst(100) }
            return Array(left.prefix(100))
        }
        var packets: [CapturedPacket] = []
        while let packet = try reader.next() { packets.append(packet) }
        return (packets, reader)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing
import XDP

@testable import Capture

@Suite("Capture records")
struct CaptureRecordTests {
    private func bytes(captured: UInt32, following: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in [UInt64(7), 9] { withUnsafeBytes(of: number) { bytes += $0 } }
        for number in [UInt32(1500), captured, 3, Tap.noVerdict, 2, 1] {
            withUnsafeBytes(of: number) { bytes += $0 }
        }
        return bytes + [UInt8](repeating: 0xaa, count: following)
    }

    @Test("every field is read from its place")
    func fields() throws {
        let bytes = bytes(captured: 4, following: 4)
        let read = CaptureRecord(bytes.span.bytes)
        let record = try #require(read)
        #expect(record.time == 7 && record.packet == 9 && record.length == 1500 && record.captured == 4)
        #expect(record.point == 3 && record.verdict == Tap.noVerdict && record.queue == 2 && record.cpu == 1)
    }

    @Test("a record that says more than it has is none", arguments: [(0, 39), (5, 44), (.max, 44)])
    func short(captured: UInt32, length: Int) {
        let bytes = Array(bytes(captured: captured, following: 4).prefix(length))
        let record = CaptureRecord(bytes.span.bytes)
        #expect(record == nil)
    }
}

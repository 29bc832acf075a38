// SPDX-License-Identifier: Apache-2.0
import Testing
import XDP

@testable import Capture

@Suite("Buffers of captures")
struct CaptureBufferTests {
    private static let large = 1 << 40

    @Test(
        "without a wish it follows the CPUs, up to a bound, and the machine's memory",
        arguments: [
            (1, large, 16 << 20, 1), (2, large, 16 << 20, 2), (4, large, 16 << 20, 4), (6, large, 8 << 20, 6),
            (16, large, 4 << 20, 16), (128, large, 2 << 20, 128), (2, 256 << 20, 8 << 20, 2),
            (4, 1 << 20, 128 << 10, 1), (0, large, 16 << 20, 1),
        ])
    func automatic(processors: Int, memory: Int, ring: Int, rings: Int) throws {
        let buffer = try CaptureBuffer(bytes: nil, processors: processors, memory: memory)

        #expect(buffer.ringSize == ring && buffer.rings == rings)
        #expect(buffer.size <= max(processors * (2 << 20), 64 << 20))
    }

    @Test(
        "a wish is not exceeded, and CPUs share rings where it is small",
        arguments: [
            (128 << 10, 8, 128 << 10, 1), (300 << 10, 8, 128 << 10, 2), (10 << 20, 2, 4 << 20, 2),
            (64 << 20, 2, 32 << 20, 2), (1 << 20, 3, 256 << 10, 3),
        ])
    func wish(bytes: Int, processors: Int, ring: Int, rings: Int) throws {
        let buffer = try CaptureBuffer(bytes: bytes, processors: processors, memory: 0)

        #expect(buffer.ringSize == ring && buffer.rings == rings && buffer.size <= bytes)
        #expect(buffer.slots >= rings && buffer.slots & (buffer.slots - 1) == 0 && buffer.slots < 2 * rings)
    }

    @Test("too small and too large ones are refused", arguments: [-1, 0, 4096, 131_071, 1 << 50])
    func refused(bytes: Int) throws {
        let error = #expect(throws: XDPError.self) {
            _ = try CaptureBuffer(bytes: bytes, processors: 2, memory: 0)
        }
        #expect(error?.kind == .invalid && error?.remedy != nil)
    }
}

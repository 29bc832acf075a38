// SPDX-License-Identifier: Apache-2.0
import Testing
import XDP

@testable import Capture

@Suite("Buffers of captures")
struct CaptureBufferTests {
    /// What a machine has, and what comes out. Sizes are in KiB.
    struct Case: Sendable {
        var wish: Int?
        var processors: Int
        var memory: Int
        var ring: Int
        var rings: Int

        init(_ wish: Int?, _ processors: Int, _ memory: Int, _ ring: Int, _ rings: Int) {
            (self.wish, self.processors, self.memory, self.ring, self.rings) = (
                wish, processors, memory, ring, rings
            )
        }

        func buffer() throws -> CaptureBuffer {
            try CaptureBuffer(bytes: wish.map { $0 * 1024 }, processors: processors, memory: memory * 1024)
        }
    }

    private static let automaticCases: [Case] = [
        Case(nil, 1, 1 << 30, 16_384, 1), Case(nil, 2, 1 << 30, 16_384, 2), Case(nil, 4, 1 << 30, 16_384, 4),
        Case(nil, 6, 1 << 30, 8192, 6), Case(nil, 16, 1 << 30, 4096, 16), Case(nil, 128, 1 << 30, 2048, 128),
        Case(nil, 2, 262_144, 8192, 2), Case(nil, 4, 1024, 128, 1), Case(nil, 0, 1 << 30, 16_384, 1),
    ]

    @Test(
        "without a wish it follows the CPUs, up to a bound, and the machine's memory",
        arguments: automaticCases)
    func automatic(_ machine: Case) throws {
        let buffer = try machine.buffer()

        #expect(buffer.ringSize == machine.ring * 1024 && buffer.rings == machine.rings)
        #expect(buffer.size <= max(machine.processors * 2048, 65_536) * 1024)
    }

    private static let wishes: [Case] = [
        Case(128, 8, 0, 128, 1), Case(300, 8, 0, 128, 2), Case(10_240, 2, 0, 4096, 2),
        Case(65_536, 2, 0, 32_768, 2), Case(1024, 3, 0, 256, 3),
    ]

    @Test("a wish is not exceeded, and CPUs share rings where it is small", arguments: wishes)
    func wish(_ machine: Case) throws {
        let buffer = try machine.buffer()

        #expect(buffer.ringSize == machine.ring * 1024 && buffer.rings == machine.rings)
        #expect(buffer.size <= (machine.wish ?? 0) * 1024)
        #expect(buffer.slots >= buffer.rings && buffer.slots < 2 * buffer.rings)
        #expect(buffer.slots & (buffer.slots - 1) == 0)
    }

    @Test("too small and too large ones are refused", arguments: [-1, 0, 4096, 131_071, 1 << 50])
    func refused(bytes: Int) throws {
        let error = #expect(throws: XDPError.self) {
            _ = try CaptureBuffer(bytes: bytes, processors: 2, memory: 0)
        }
        #expect(error?.kind == .invalid && error?.remedy != nil)
    }
}

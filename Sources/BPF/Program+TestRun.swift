// SPDX-License-Identifier: Apache-2.0
import CBPF
import SystemPackage

extension Program {
    /// What came out of running a program on one packet.
    public struct TestRun: Sendable, Hashable {
        /// The 32-bit verdict.
        public let verdict: UInt32
        /// The packet as the program left it, metadata not included.
        public let packet: [UInt8]
        /// What stands before the packet.
        public let metadata: [UInt8]
        /// Nanoseconds for one run, the average over the repeats.
        public let nanoseconds: UInt32
    }

    /// Runs the program on a packet without any interface (BPF_PROG_TEST_RUN).
    ///
    /// - Parameters:
    ///   - packet: at least 14 bytes.
    ///   - metadata: what stands before the packet; a multiple of 4, at most 32 bytes (more on newer
    ///     kernels). Anything but the empty array needs Linux 5.18.
    ///   - interfaceIndex: where the packet seems to come from; 0 leaves it to the kernel.
    ///   - repeats: how many times; the packet is restored between runs by the kernel only in that its
    ///     changes add up, so benchmarks use programs that leave it alone.
    public borrowing func testRun(
        _ packet: [UInt8], metadata: [UInt8]? = nil, interfaceIndex: UInt32 = 0, repeats: UInt32 = 1
    ) throws(BPFError) -> TestRun {
        let head = UInt32(metadata?.count ?? 0)
        let room = max(4096, packet.count + 1024) + 256
        let input = CallMemory((metadata ?? []) + packet)
        let memory = CallMemory(zeros: room)
        var context = xdp_md()
        context.data = head
        context.data_end = head + UInt32(packet.count)
        context.ingress_ifindex = interfaceIndex
        let contextIn = CallMemory(withUnsafeBytes(of: context) { Array($0) })
        let contextSize = MemoryLayout<xdp_md>.size
        let contextMemory = CallMemory(zeros: contextSize)
        var attributes = bpf_attr()
        attributes.test.prog_fd = UInt32(bitPattern: descriptor.rawValue)
        attributes.test.data_in = input.address
        attributes.test.data_size_in = context.data_end
        attributes.test.data_out = memory.address
        attributes.test.data_size_out = UInt32(room)
        attributes.test.`repeat` = repeats
        if metadata != nil {
            attributes.test.ctx_in = contextIn.address
            attributes.test.ctx_size_in = UInt32(contextSize)
            attributes.test.ctx_out = contextMemory.address
            attributes.test.ctx_size_out = UInt32(contextSize)
        }
        do throws(Errno) {
            try KernelDoor.bpf(.programTestRun, &attributes)
        } catch {
            throw BPFError("run the program on a test packet", errno: error)
        }
        // The inputs have to live until here.
        withExtendedLifetime(input) {}
        withExtendedLifetime(contextIn) {}
        let output = memory.bytes()
        var contextOut = xdp_md()
        withUnsafeMutableBytes(of: &contextOut) { $0.copyBytes(from: contextMemory.bytes()) }
        let size = min(Int(attributes.test.data_size_out), output.count)
        let start = metadata == nil ? 0 : min(Int(contextOut.data), size)
        let end = metadata == nil ? size : min(max(Int(contextOut.data_end), start), size)
        return TestRun(
            verdict: attributes.test.retval, packet: Array(output[start..<end]),
            metadata: Array(output[min(Int(contextOut.data_meta), start)..<start]),
            nanoseconds: attributes.test.duration)
    }
}

extension Program {
    /// Sends copies of a packet through the program as if they came in on an interface, and carries out what
    /// it says: passes them to the stack, redirects them, sends them back (BPF_F_TEST_XDP_LIVE_FRAMES).
    /// Linux 5.18.
    ///
    /// - Parameters:
    ///   - packet: 14 to about 3400 bytes.
    ///   - interfaceIndex: where the packets seem to come from.
    ///   - batch: how many are handled at a time, at most 256.
    public borrowing func sendLive(
        _ packet: [UInt8], interfaceIndex: UInt32, count: UInt32, batch: UInt32 = 64
    ) throws(BPFError) {
        let input = CallMemory(packet)
        var context = xdp_md()
        context.data_end = UInt32(packet.count)
        context.ingress_ifindex = interfaceIndex
        let contextIn = CallMemory(withUnsafeBytes(of: context) { Array($0) })
        var attributes = bpf_attr()
        attributes.test.prog_fd = UInt32(bitPattern: descriptor.rawValue)
        attributes.test.data_in = input.address
        attributes.test.data_size_in = UInt32(packet.count)
        attributes.test.ctx_in = contextIn.address
        attributes.test.ctx_size_in = UInt32(MemoryLayout<xdp_md>.size)
        attributes.test.`repeat` = count
        attributes.test.flags = UInt32(BPF_F_TEST_XDP_LIVE_FRAMES)
        attributes.test.batch_size = batch
        do throws(Errno) {
            try KernelDoor.bpf(.programTestRun, &attributes)
        } catch {
            throw BPFError("send packets through the program", errno: error)
        }
        withExtendedLifetime(input) {}
        withExtendedLifetime(contextIn) {}
    }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc

/// A packet socket on an interface of the calling thread's network namespace: sends frames as they are,
/// past the queueing discipline, and receives what arrives, of any protocol.
///
/// What this machine sends by the interface is not received. A VLAN tag, which the kernel takes out of a
/// frame before it shows it, is put back.
public struct PacketSocket: ~Copyable {
    /// What a socket is for. A pure sender has no queue that could fill up.
    public enum Role: Sendable {
        case sender, receiver, both
    }

    /// The socket.
    private let descriptor: Int32
    /// How long sending is tried again while the interface takes nothing.
    private let patience: Duration

    /// A socket on the interface with an index.
    ///
    /// - Parameter patience: how long to try again while the interface takes nothing. Some never do: what is too long for the
    ///   other end of a veth is refused like what finds no room.
    public init(
        interface index: UInt32, role: Role = .both, patience: Duration = .seconds(5)
    ) throws(PacketDeviceError) {
        // Without a protocol nothing is received until bind(2) names one.
        let descriptor = try PacketDeviceError.check("open a packet socket") {
            socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        }
        do throws(PacketDeviceError) {
            if role != .receiver {
                try descriptor.set(SOL_PACKET, PACKET_QDISC_BYPASS, to: 1)
                try descriptor.set(SOL_SOCKET, SO_SNDBUFFORCE, to: 8 << 20)
            }
            if role != .sender {
                try descriptor.set(SOL_PACKET, PACKET_IGNORE_OUTGOING, to: 1)
                try descriptor.set(SOL_PACKET, PACKET_AUXDATA, to: 1)
                try descriptor.set(SOL_SOCKET, SO_RCVBUFFORCE, to: 64 << 20)
            }
            var address = sockaddr_ll()
            address.sll_family = UInt16(AF_PACKET)
            address.sll_ifindex = Int32(index)
            address.sll_protocol = role == .sender ? 0 : UInt16(ETH_P_ALL).bigEndian
            try PacketDeviceError.check("bind a packet socket to interface \(index)") {
                withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_ll>.size))
                    }
                }
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
        self.patience = patience
    }

    deinit {
        close(descriptor)
    }
}

extension PacketSocket {
    /// Sends one packet.
    public func send(_ packet: Packet) throws(PacketDeviceError) {
        try send([packet.bytes])
    }

    /// Sends packets in their order.
    public func send(_ packets: [Packet]) throws(PacketDeviceError) {
        try send(packets.map(\.bytes))
    }

    /// Sends frames in their order, 64 to a system call. When the interface has no room it is tried again,
    /// so all of them leave. Throws `ENOBUFS` when it takes none for longer than the socket's patience.
    public func send(_ frames: [[UInt8]]) throws(PacketDeviceError) {
        var bytes = frames.flatMap { $0 }
        let lengths = frames.map(\.count)
        try transmit(&bytes, lengths: lengths)
    }

    /// Sends the same packet many times.
    public func send(_ packet: Packet, times: Int) throws(PacketDeviceError) {
        var bytes = packet.bytes
        try transmit(&bytes, lengths: [Int](repeating: bytes.count, count: times), isRepeated: true)
    }

    /// So often the processor is left to others before there is a pause: room for a packet comes soon, or late.
    private static var yields: Int { 256 }

    /// The frames stand one after the other, or it is one and the same for each.
    private func transmit(
        _ bytes: inout [UInt8], lengths: [Int], isRepeated: Bool = false
    ) throws(PacketDeviceError) {
        let (descriptor, patience) = (descriptor, patience)
        let failure: Int32 = bytes.withUnsafeMutableBytes { bytes in
            var position = 0
            var vectors: [iovec] = []
            for length in lengths {
                vectors.append(iovec(iov_base: bytes.baseAddress?.advanced(by: position), iov_len: length))
                if !isRepeated { position += length }
            }
            return vectors.withUnsafeMutableBufferPointer { vectors in
                var sent = 0
                var refusals = 0
                var deadline = ContinuousClock.now
                while sent < vectors.count {
                    let count = UInt32(min(64, vectors.count - sent))
                    let result = cbpf_send_vectors(descriptor, vectors.baseAddress?.advanced(by: sent), count)
                    switch result {
                    case -ENOBUFS, -EAGAIN, -EINTR:
                        if refusals == 0 { deadline = .now + patience }
                        refusals += 1
                        if refusals <= Self.yields {
                            sched_yield()
                        } else {
                            guard ContinuousClock.now < deadline else { return -result }
                            // A thread of the kernel may have to make the room, which yields may not let run.
                            usleep(100)
                        }
                    case ..<0: return -result
                    default:
                        sent += Int(result)
                        refusals = 0
                    }
                }
                return 0
            }
        }
        guard failure == 0 else { throw PacketDeviceError(operation: "sendmmsg", code: failure) }
    }
}

extension PacketSocket {
    /// The next frame, or nothing if none comes in time.
    public func receive(within timeout: Duration = .milliseconds(500)) throws(PacketDeviceError) -> [UInt8]? {
        var frame: [UInt8]?
        try receive(within: timeout) { bytes in
            frame = Array(bytes)
            return false
        }
        return frame
    }

    /// How many frames come that a filter wants: until there are `expected` of them, or time is up.
    public func count(
        _ expected: Int = .max, within timeout: Duration,
        where isWanted: (UnsafeRawBufferPointer) -> Bool = { _ in true }
    ) throws(PacketDeviceError) -> Int {
        var count = 0
        guard expected > 0 else { return 0 }
        try receive(within: timeout) { bytes in
            if isWanted(bytes) { count += 1 }
            return count < expected
        }
        return count
    }

    /// Forgets what has arrived by now.
    public func discard() throws(PacketDeviceError) {
        _ = try count(within: .zero)
    }

    /// Shows frames to a closure as long as it wants more and time is left. What has already arrived is
    /// shown even when there is no time.
    private func receive(
        within timeout: Duration, _ wantsMore: (UnsafeRawBufferPointer) -> Bool
    ) throws(PacketDeviceError) {
        let deadline = ContinuousClock.now + timeout
        // The tag's four bytes of room, and the largest frame.
        var buffer = [UInt8](repeating: 0, count: 4 + 65536 + 64)
        while true {
            switch next(in: &buffer) {
            case .success(let range):
                let goesOn = buffer.withUnsafeBytes { wantsMore(UnsafeRawBufferPointer(rebasing: $0[range])) }
                guard goesOn else { return }
            case .failure(let error) where error.code == EINTR:
                continue
            case .failure(let error) where error.code == EAGAIN:
                var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
                let milliseconds = pollTimeout(until: deadline)
                guard milliseconds > 0, poll(&waiting, 1, milliseconds) > 0 else { return }
            case .failure(let error):
                throw error
            }
        }
    }

    /// Receives a frame into a buffer, without waiting, and says where in it the frame is.
    private func next(in buffer: inout [UInt8]) -> Result<Range<Int>, PacketDeviceError> {
        var tag = cbpf_vlan_tag()
        let descriptor = descriptor
        let length = buffer.withUnsafeMutableBytes { bytes in
            cbpf_receive_frame(descriptor, bytes.baseAddress?.advanced(by: 4), bytes.count - 4, &tag)
        }
        guard length >= 0 else {
            return .failure(PacketDeviceError(operation: "recvmsg", code: Int32(-length)))
        }
        guard tag.present, length >= 12 else { return .success(4..<4 + length) }
        // The addresses move forward and make room for the tag.
        buffer.replaceSubrange(0..<12, with: buffer[4..<16])
        buffer.replaceSubrange(12..<16, with: bigEndian(tag.protocol) + bigEndian(tag.control))
        return .success(0..<4 + length)
    }
}

extension Int32 {
    /// Sets an option of this socket.
    fileprivate func set(_ level: Int32, _ option: Int32, to value: Int32) throws(PacketDeviceError) {
        var value = value
        try PacketDeviceError.check("set option \(option) of a packet socket") {
            setsockopt(self, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Packets

/// A TAP device in the network namespace of the calling thread: what is written to it arrives at the
/// interface, what the interface sends can be read.
///
/// The best device for functional tests. XDP runs on it natively and synchronously: when ``write(_:queue:)``
/// returns, the program has run, and a frame it sent back with XDP_TX or redirected here can be read. This
/// holds only for non-blocking descriptors, plain frames (`IFF_NO_PI`) and no NAPI; otherwise the kernel
/// takes the generic path. IPv6 is off, so the stack sends nothing on its own. The device is gone with this
/// value.
public struct TAPDevice: ~Copyable, Sendable {
    /// The interface's name.
    public let name: String
    /// The interface's index in its network namespace.
    public let index: UInt32
    /// The interface's own address: frames to it reach the stack as "for us".
    public let address: Packet.MAC
    /// A descriptor per queue.
    private let descriptors: [Int32]

    /// Makes a device and brings it up. The kernel replaces `%d` in a name with a number.
    ///
    /// - Parameter isBlocking: opens it as most programs do; then XDP runs natively on packets of the stack, behind their
    ///   allocation, and the kernel counts otherwise.
    public init(
        name: String = "xdptap%d", queues: Int = 1, isBlocking: Bool = false
    ) throws(PacketDeviceError) {
        var descriptors: [Int32] = []
        do throws(PacketDeviceError) {
            var request = ifreq(name: name)
            for _ in 0..<queues {
                descriptors.append(
                    try PacketDeviceError.check("open /dev/net/tun") {
                        open("/dev/net/tun", O_RDWR | (isBlocking ? 0 : O_NONBLOCK) | O_CLOEXEC)
                    })
                let multiple = queues > 1 ? IFF_MULTI_QUEUE : 0
                request.ifr_ifru.ifru_flags = Int16(truncatingIfNeeded: IFF_TAP | IFF_NO_PI | multiple)
                // The first call fills in the name, which the others join.
                try ioctl("TUNSETIFF \(name)", descriptors[descriptors.count - 1], CBPF_TUNSETIFF, &request)
            }
            let actualName = request.name
            disableIPv6(of: actualName)

            let socket = try PacketDeviceError.check("socket") {
                Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            }
            defer { close(socket) }
            try ioctl("SIOCGIFINDEX \(actualName)", socket, UInt(SIOCGIFINDEX), &request)
            let index = UInt32(request.ifr_ifru.ifru_ivalue)
            try ioctl("SIOCGIFHWADDR \(actualName)", socket, UInt(SIOCGIFHWADDR), &request)
            let address = withUnsafeBytes(of: request.ifr_ifru.ifru_hwaddr.sa_data) { bytes in
                Packet.MAC(bytes.prefix(6))
            }
            try ioctl("SIOCGIFFLAGS \(actualName)", socket, UInt(SIOCGIFFLAGS), &request)
            request.ifr_ifru.ifru_flags |= Int16(truncatingIfNeeded: IFF_UP)
            try ioctl("SIOCSIFFLAGS \(actualName)", socket, UInt(SIOCSIFFLAGS), &request)

            self.name = actualName
            self.index = index
            self.address = address
            self.descriptors = descriptors
        } catch {
            for descriptor in descriptors { close(descriptor) }
            throw error
        }
    }

    deinit {
        for descriptor in descriptors { close(descriptor) }
    }

    /// Lets a frame arrive at the interface, on one of its queues.
    public func write(_ frame: [UInt8], queue: Int = 0) throws(PacketDeviceError) {
        let descriptor = descriptors[queue]
        let written = try PacketDeviceError.check("write to \(name)") {
            frame.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        }
        guard written == frame.count else {
            throw PacketDeviceError(operation: "write all of a frame to \(name)", code: EMSGSIZE)
        }
    }

    /// Lets a packet arrive at the interface, on one of its queues.
    public func write(_ packet: Packet, queue: Int = 0) throws(PacketDeviceError) {
        try write(packet.bytes, queue: queue)
    }

    /// The next frame that the interface sends, on any queue, or nothing if none comes in time.
    public func read(within timeout: Duration = .milliseconds(500)) throws(PacketDeviceError) -> [UInt8]? {
        let deadline = ContinuousClock.now + timeout
        var polls = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        repeat {
            let ready = try PacketDeviceError.check("poll \(name)") {
                poll(&polls, nfds_t(polls.count), pollTimeout(until: deadline))
            }
            guard ready > 0 else { return nil }
            for ready in polls where ready.revents != 0 {
                if let frame = try readFrame(ready.fd) { return frame }
            }
        } while ContinuousClock.now < deadline
        return nil
    }

    /// All frames that the interface has sent by now.
    public func readAll() throws(PacketDeviceError) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        while let frame = try read(within: .zero) { frames.append(frame) }
        return frames
    }

    private func readFrame(_ descriptor: Int32) throws(PacketDeviceError) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let length = buffer.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
        guard length >= 0 else {
            if errno == EAGAIN { return nil }
            throw PacketDeviceError(operation: "read from \(name)", code: errno)
        }
        return Array(buffer.prefix(length))
    }
}

/// Keeps the stack from sending router solicitations and the like. Where there is no IPv6 there is no file.
private func disableIPv6(of interface: String) {
    let file = open("/proc/sys/net/ipv6/conf/\(interface)/disable_ipv6", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    defer { close(file) }
    _ = write(file, "1", 1)
}

private func ioctl(
    _ operation: String, _ descriptor: Int32, _ command: UInt, _ request: inout ifreq
) throws(PacketDeviceError) {
    let result = cbpf_ioctl_pointer(descriptor, command, &request)
    guard result >= 0 else { throw PacketDeviceError(operation: operation, code: -result) }
}

extension ifreq {
    fileprivate init(name: String) {
        self.init()
        withUnsafeMutableBytes(of: &ifr_ifrn.ifrn_name) { bytes in
            // The last byte stays zero.
            bytes.dropLast().copyBytes(from: name.utf8.prefix(bytes.count - 1))
        }
    }

    fileprivate var name: String {
        withUnsafeBytes(of: ifr_ifrn.ifrn_name) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

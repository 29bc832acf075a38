// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import XDP

/// An AF_XDP socket on a queue of an interface of the calling thread's network namespace, which never reads.
///
/// Numbers are those of linux/if_xdp.h.
final class XDPSocket: Sendable {
    let descriptor: Int32
    private nonisolated(unsafe) let memory: UnsafeMutableRawPointer
    private static let frames = 64
    private static let frame = 4096
    private static let level: Int32 = 283

    struct Failure: Error {
        let what: String
        let number: Int32
    }

    /// - Parameters:
    ///   - buffers: how many it gives to the kernel for packets; without any it gets none.
    ///   - ring: places of the receive ring, a power of two.
    init(interface: UInt32, queue: UInt32 = 0, buffers: Int = 0, ring: UInt32 = 4) throws {
        descriptor = socket(44, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let size = Self.frames * Self.frame
        let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard descriptor >= 0, let mapped, mapped != MAP_FAILED else {
            throw Failure(what: "socket", number: errno)
        }
        memory = mapped
        // XDP_UMEM_REG: address, length, size of a chunk, headroom, flags.
        var area: (UInt64, UInt64, UInt32, UInt32, UInt32, UInt32) = (
            UInt64(UInt(bitPattern: memory)), UInt64(size), UInt32(Self.frame), 0, 0, 0
        )
        try check(setsockopt(descriptor, Self.level, 4, &area, 32), "XDP_UMEM_REG")
        // Fill, completion and receive ring.
        for (option, places) in [(Int32(5), UInt32(Self.frames)), (6, UInt32(Self.frames)), (2, ring)] {
            var places = places
            try check(setsockopt(descriptor, Self.level, option, &places, 4), "ring \(option)")
        }
        if buffers > 0 { try fill(buffers) }
        // struct sockaddr_xdp: family, flags (XDP_COPY), interface, queue, other socket.
        var address: (UInt16, UInt16, UInt32, UInt32, UInt32) = (44, 2, interface, queue, 0)
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, 16) }
        }
        try check(bound, "bind")
    }

    deinit {
        close(descriptor)
        munmap(memory, Self.frames * Self.frame)
    }

    /// Puts addresses of buffers into the fill ring.
    private func fill(_ count: Int) throws {
        // XDP_MMAP_OFFSETS: for rx, tx, fill and completion ring the places of producer, consumer, descriptors, flags.
        var offsets = [UInt64](repeating: 0, count: 16)
        var length = socklen_t(128)
        try check(getsockopt(descriptor, Self.level, 1, &offsets, &length), "XDP_MMAP_OFFSETS")
        let (producer, descriptors) = (Int(offsets[8]), Int(offsets[10]))
        let size = descriptors + Self.frames * 8
        // XDP_UMEM_PGOFF_FILL_RING
        let ring = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0x1_0000_0000)
        guard let ring, ring != MAP_FAILED else { throw Failure(what: "mmap", number: errno) }
        for place in 0..<min(count, Self.frames) {
            ring.storeBytes(
                of: UInt64(place * Self.frame), toByteOffset: descriptors + place * 8, as: UInt64.self)
        }
        ring.storeBytes(of: UInt32(min(count, Self.frames)), toByteOffset: producer, as: UInt32.self)
        munmap(ring, size)
    }

    private func check(_ result: Int32, _ what: String) throws {
        guard result == 0 else { throw Failure(what: what, number: errno) }
    }

    /// Puts it into a map of sockets.
    func put(into map: MapHandle, at key: UInt32) throws {
        try map.map.update(
            withUnsafeBytes(of: key) { Array($0) }, to: withUnsafeBytes(of: descriptor) { Array($0) })
    }
}

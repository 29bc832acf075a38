// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Netlink
import TestSupport
import XDP

/// Two network stacks that are wired to each other, a filter between them: `near`, 192.0.2.1 and 2001:db8::1, with the
/// filter, and `far`, 192.0.2.9 and 2001:db8::9. Neither knows the other's MAC address.
final class StackBench: Sendable {
    let here: NetworkNamespace
    let there: NetworkNamespace
    private let far: UInt32
    private static let port: UInt16 = 4444
    private static func address(_ last: String, ipv6: Bool) throws -> IPAddress {
        guard let address = IPAddress(parsing: (ipv6 ? "2001:db8::" : "192.0.2.") + last) else {
            throw POSIXError(.EINVAL)
        }
        return address
    }

    init() throws {
        here = try NetworkNamespace.makePrivate()
        there = try NetworkNamespace.makePrivate()
        var local = try RouteSocket(in: here)
        let near = try local.createVeth("near", peer: "far", peerNamespace: there.fileDescriptor).index
        var remote = try RouteSocket(in: there)
        far = try remote.link(named: "far").index
        for ipv6 in [false, true] {
            let length: UInt8 = ipv6 ? 64 : 24
            try local.addAddress(
                Self.address("1", ipv6: ipv6), prefixLength: length, to: near,
                skippingDuplicateDetection: ipv6)
            try remote.addAddress(
                Self.address("9", ipv6: ipv6), prefixLength: length, to: far, skippingDuplicateDetection: ipv6
            )
        }
        try local.setUp(near)
        try remote.setUp(far)
    }

    deinit {
        cleanUp(here)
        cleanUp(there)
    }

    func apply(_ rules: String) throws {
        let directory = try TemporaryDirectory()
        let file = try directory.write("rules.xdp", rules)
        let path = "/proc/\(getpid())/fd/\(here.fileDescriptor)"
        let result = try Subprocess.xdpctl("filter", "apply", "near", file, "--netns", path)
        guard result.status == 0 else { throw Subprocess.Failure(what: "filter apply: \(result)") }
    }

    /// Whether `far` found out the MAC address of `near`.
    func knowsNear(ipv6: Bool) throws -> Bool {
        var route = try RouteSocket(in: there)
        return try route.neighbour(Self.address("1", ipv6: ipv6), on: far) != nil
    }

    /// Whether a datagram from `far` gets to a socket of `near`.
    func exchange(ipv6: Bool, tries: Int = 5) throws -> Bool {
        let receiver = try here.run { try Self.socket("1", ipv6: ipv6) { bind($0, $1, $2) } }
        defer { close(receiver) }
        let sender = try there.run { try Self.socket("1", ipv6: ipv6) { connect($0, $1, $2) } }
        defer { close(sender) }
        var byte: UInt8 = 7
        var entry = pollfd(fd: receiver, events: Int16(POLLIN), revents: 0)
        // An interface that has just come up may not send at once, and after a neighbour was not found the next
        // packet is refused.
        for _ in 0..<tries {
            guard send(sender, &byte, 1, 0) == 1 else {
                usleep(200_000)
                continue
            }
            if poll(&entry, 1, 200) > 0 { return true }
        }
        return false
    }

    /// What other processes call the namespace of `far`.
    var farPath: String { "/proc/\(getpid())/fd/\(there.fileDescriptor)" }

    /// Sends datagrams from `far` to a port of `near` that no socket has.
    func sendToClosedPort(_ count: Int) throws {
        let sender = try there.run { try Self.socket("1", ipv6: false) { connect($0, $1, $2) } }
        defer { close(sender) }
        var byte: UInt8 = 7
        for _ in 0..<count {
            // The answer to the one before is an error of this call, and clears it.
            if send(sender, &byte, 1, 0) != 1 { _ = send(sender, &byte, 1, 0) }
            usleep(5000)
        }
    }

    private static func socket(
        _ last: String, ipv6: Bool, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws -> Int32 {
        let number = Glibc.socket(
            ipv6 ? AF_INET6 : AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        let bytes = try address(last, ipv6: ipv6).bytes
        var storage = sockaddr_storage()
        let size = ipv6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        let result = withUnsafeMutableBytes(of: &storage) { memory in
            // `struct sockaddr_in` and `sockaddr_in6`: family, port, (flow,) address.
            memory.storeBytes(of: UInt16(ipv6 ? AF_INET6 : AF_INET), as: UInt16.self)
            memory.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            for (place, byte) in bytes.enumerated() { memory[(ipv6 ? 8 : 4) + place] = byte }
            return memory.withMemoryRebound(to: sockaddr.self) { addresses in
                addresses.baseAddress.map { use(number, $0, socklen_t(size)) } ?? -1
            }
        }
        guard result == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        return number
    }
}

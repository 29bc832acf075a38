// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Packets
import TestSupport
import XDP

/// A bench with a place to redirect packets to: chains stand on `tap`, where packets run as soon as they are
/// written, and `out` is a veth whose other end, `sink`, counts what arrives.
///
/// The packets have an EtherType of nobody's, so that no stack answers them.
final class LossBench: Sendable {
    let bench: ChainBench
    let out: UInt32
    let sink: UInt32

    /// A directory for pins that goes with the bench.
    let pins: String

    init(mtu: UInt32? = nil) throws {
        bench = try ChainBench(mtu: mtu, withTAP: true)
        pins = "/sys/fs/bpf/xdpctl-loss-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        var route = try RouteSocket(in: bench.namespace)
        out = try route.createVeth("out", peer: "sink").index
        sink = try route.link(named: "sink").index
        try bench.namespace.run {
            for name in ["out", "sink"] { ChainBench.disableIPv6(name) }
        }
        try route.setUp(out)
        try route.setUp(sink)
    }

    deinit {
        for name in BPFFileSystem.entries(of: pins) { unlink("\(pins)/\(name)") }
        rmdir(pins)
    }

    /// The packet that is sent.
    static let packet = Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: 100)

    /// Lets packets arrive at `tap`, and counts those of them that come out of an interface.
    func arrived(_ count: Int = 10, at interface: String = "sink", length: Int = 100) throws -> Int {
        let packet = Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: length)
        return try bench.namespace.run { () throws -> Int in
            let index = try Interface(named: interface).index
            let listener = try PacketSocket(interface: index, role: .receiver)
            for _ in 0..<count { try bench.tap?.write(packet) }
            // A bridge says things of its own, and a VLAN has a tag.
            let lengths = length...length + 4
            let most = try listener.count(count, within: .milliseconds(400)) { lengths.contains($0.count) }
            return try most + listener.count(within: .milliseconds(50)) { lengths.contains($0.count) }
        }
    }

    /// Sends packets from `far` to `near`, and counts those that come back.
    func returned(_ count: Int = 10) throws -> Int {
        try bench.namespace.run { [far = bench.far] in
            let socket = try PacketSocket(interface: far, role: .both)
            try socket.send(Self.packet, times: count)
            return try socket.count(count, within: .milliseconds(400)) { $0.count >= 60 }
        }
    }

    /// Makes a veth end able to take redirected packets: with a program on its peer.
    func openEnd(_ peer: String = "sink") throws {
        let request = LoadRequest(path: try Fixture.path("pass"))
        try bench.edit(peer) { editor throws(XDPError) in try editor.load([request]) }
    }

    /// Sends packets from `far` to `near`, and counts those that can be read at the tap.
    func readAtTap(_ count: Int = 10, length: Int) throws -> Int {
        let packet = Packet.ethernet().ipv4().udp(from: 1, to: 2).padded(to: length)
        _ = try bench.tap?.readAll()
        try bench.send([Packet](repeating: packet, count: count))
        usleep(200_000)
        return try bench.tap?.readAll().count { $0.count == length } ?? 0
    }

    /// Writes a number into a map of a member of `tap`. Interfaces are those of the namespace.
    func fill(_ map: String, of member: String, at key: UInt32, with value: UInt32) throws {
        let handle = try bench.chain("tap").map(map, of: member)
        let (key, value) = (Self.bytes(key), Self.bytes(value))
        try bench.namespace.run { try handle.map.update(key, to: value) }
    }

    private static func bytes(_ number: UInt32) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    func unload(_ interface: String = "tap") throws {
        try bench.edit(interface) { editor throws(XDPError) in try editor.unload(nil) }
    }

    /// Whether nothing runs on `tap`.
    func isEmpty() throws -> Bool {
        if case .none = try bench.occupant("tap") { true } else { false }
    }

    /// Runs `ip` in the namespace.
    @discardableResult
    func ip(_ words: String...) throws -> Subprocess.Result { try ip(words) }

    @discardableResult
    func ip(_ words: [String]) throws -> Subprocess.Result {
        try Subprocess.run("nsenter", ["--net=\(bench.path)", "ip"] + words)
    }

    func index(_ name: String) throws -> UInt32 {
        try bench.namespace.run { try Interface(named: name).index }
    }
}

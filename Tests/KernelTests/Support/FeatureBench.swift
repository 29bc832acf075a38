// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Netlink
import Packets
import Synchronization
import SystemPackage
import TestSupport
import XDP

/// A program that is attached in the driver as long as this value is there.
struct RunningProgram: ~Copyable, Sendable {
    private let link: XDPLink

    /// Attaches a program that passes everything, past our own checks; throws the kernel's number.
    init(on index: UInt32, frags: Bool = false) throws {
        try self.init([.move(.r0, Int32(Verdict.pass.rawValue)), .exit], on: index, frags: frags)
    }

    /// Attaches a program that redirects everything.
    init(redirectingTo target: UInt32, on index: UInt32) throws {
        try self.init(
            [.move(.r1, Int32(bitPattern: target)), .move(.r2, 0), .call(helper: 23), .exit], on: index)
    }

    private init(_ instructions: [Instruction], on index: UInt32, frags: Bool = false) throws {
        var image = ProgramImage(name: "passing", instructions: instructions, license: "GPL")
        image.supportsFrags = frags
        try self.init(image, on: index)
    }

    /// Attaches any program.
    init(_ image: ProgramImage, on index: UInt32) throws {
        let program = try Program.load(image).take()
        link = try XDPLink(attaching: program, toInterface: index, mode: .native)
    }
}

extension ChainBench {
    /// What an interface of the namespace gives to XDP.
    func features(_ interface: String = "near") throws -> InterfaceFeatures {
        try namespace.run { try InterfaceFeatures.read(of: Interface(named: interface)) }
    }

    /// Attaches a program that passes everything in native mode.
    func run(on index: UInt32, frags: Bool = false) throws -> RunningProgram {
        try namespace.run { try RunningProgram(on: index, frags: frags) }
    }

    /// The error number of attaching a program that passes everything in native mode; nil if the kernel takes it.
    func nativeRefusal(of index: UInt32, frags: Bool = false) throws -> Errno? {
        do {
            _ = try run(on: index, frags: frags)
            return nil
        } catch let error as Errno {
            return error
        }
    }

    /// Switches generic receive offload.
    func setGRO(_ isOn: Bool, of interface: String) throws {
        try namespace.run { try EthtoolSwitch.setGRO(isOn, of: interface) }
    }

    /// Whether what a program in the driver redirects to an interface comes out of its peer: the real thing that
    /// "ndo-xmit" promises. The packets come from the bench's TAP.
    func arrives(
        redirectedTo target: UInt32, at peer: UInt32, of namespace: borrowing NetworkNamespace
    ) throws -> Bool {
        guard tap != nil else { throw NoChain() }
        let index = try self.namespace.run { try Interface(named: "tap").index }
        return try arrives(redirectedTo: target, at: peer, of: namespace, from: index) {
            try tap?.write($0)
        }
    }

    /// As the other one, with packets that `write` lets arrive at the interface `source`.
    func arrives(
        redirectedTo target: UInt32, at peer: UInt32, of namespace: borrowing NetworkNamespace,
        from source: UInt32, _ write: (Packet) throws -> Void
    ) throws -> Bool {
        let listener = try namespace.run {
            ListeningSocket(try PacketSocket(interface: peer, role: .receiver))
        }
        let program = try self.namespace.run { try RunningProgram(redirectingTo: target, on: source) }
        // A packet of its own kind, since the stack sends a few.
        let packet = Packet.ethernet(to: "02:00:00:00:00:77").ipv4().udp().padded(to: 60)
        for _ in 0..<8 { try write(packet) }
        let count = try listener.count(8, to: 0x77)
        withExtendedLifetime(program) {}
        return count == 8
    }
}

/// Counts packets to an address.
private final class ListeningSocket: Sendable {
    private let socket: Mutex<PacketSocket>

    init(_ socket: consuming sending PacketSocket) {
        self.socket = Mutex(socket)
    }

    func count(_ expected: Int, to last: UInt8) throws -> Int {
        try socket.withLock { socket in
            try socket.count(expected, within: .seconds(1)) { $0.count >= 6 && $0[5] == last }
        }
    }
}

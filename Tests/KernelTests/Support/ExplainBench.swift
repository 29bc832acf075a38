// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import Netlink
import Observe
import Packets
import TestSupport
import Testing
import XDP

/// What was explained of an interface on which something was done meanwhile.
struct Explained: CustomStringConvertible {
    let facts: ExplanationFacts
    let explanation: Explanation

    /// The hypotheses that apply to the interface; tests beside this one may keep a processor busy.
    var blamed: Set<String> {
        Set(explanation.findings.map(\.hypothesis)).subtracting(["processor"])
    }

    func finding(_ hypothesis: String) -> ExplanationFinding? {
        explanation.findings.first { $0.hypothesis == hypothesis }
    }

    /// Why a hypothesis does not apply; nil where it does.
    func reason(_ hypothesis: String) -> String? {
        (explanation.ruledOut + explanation.unknown).first { $0.hypothesis == hypothesis }?.reason
    }

    /// Packets of the ledger that went a way.
    func packets(_ way: PacketLedger.Way) -> UInt64 {
        explanation.ledger.entries.filter { $0.way == way }.reduce(0) { $0 + $1.packets }
    }

    var description: String {
        let findings = explanation.findings.map {
            "\($0.hypothesis) (\($0.packets.map { "\($0)" } ?? "-")): \($0.what)\n    "
                + ($0.evidence + $0.remedies).joined(separator: "\n    ")
        }
        let open = explanation.unknown.map { "\($0.hypothesis)?: \($0.reason)" }
        return (explanation.ledger.entries.map { "\($0.packets) \($0.text)" } + findings + open)
            .joined(separator: "\n")
    }
}

extension ChainBench {
    /// Watches an interface while something is done, and explains what was seen.
    func explain(
        _ interface: String = "near", for seconds: Double = 0.5, sampling: Bool = false,
        while body: @Sendable () throws -> Void
    ) throws -> Explained {
        try namespace.run { try Explained(of: interface, for: seconds, sampling: sampling, while: body) }
    }

    /// Packets with an EtherType of nobody's, which somebody takes nevertheless.
    func explainTaken(_ count: Int = 100, _ packet: Packet = .ethernet().padded(to: 100)) throws -> Explained
    {
        try namespace.run { [far, index] in
            let listener = try PacketSocket(interface: index, role: .receiver)
            let sender = try PacketSocket(interface: far, role: .sender)
            let explained = try Explained(of: "near", for: 0.5) { try sender.send(packet, times: count) }
            _ = try listener.count(within: .zero)
            return explained
        }
    }
}

extension Explained {
    /// In the network namespace of the calling thread.
    init(
        of interface: String, for seconds: Double, sampling: Bool = false, while body: () throws -> Void
    ) throws {
        var observation = Observation(of: try Interface(named: interface), seconds: seconds)
        observation.sampling = sampling
        var isBegun = false
        var failure: (any Error)?
        facts = try observation.gather { _ in
            guard !isBegun else { return true }
            isBegun = true
            do {
                try body()
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        explanation = Explanation(facts)
    }
}

/// What a remedy says to do.
enum Remedy {
    /// Runs the first command in it, word for word, in a network namespace.
    @discardableResult
    static func obey(_ text: String?, in namespace: String) throws -> Subprocess.Result {
        let parts = (text ?? "").split(separator: "`", omittingEmptySubsequences: false)
        try #require(parts.count > 2, "there is no command in \(text ?? "nothing")")
        let result = try run(String(parts[1]), in: namespace)
        #expect(result.status == 0, "\(parts[1]): \(result)")
        return result
    }

    /// Runs what may be typed into a shell.
    static func run(_ command: String, in namespace: String) throws -> Subprocess.Result {
        let directory = try Subprocess.binary("xdpctl").split(separator: "/").dropLast().joined(
            separator: "/")
        return try Subprocess.run(
            "nsenter", ["--net=\(namespace)", "sh", "-c", "PATH=/\(directory):$PATH; \(command)"])
    }
}

/// Sends frames and does not mind that they are refused, where `PacketSocket` tries again for a while.
enum UncheckedSender {
    /// - Parameter goesOn: asked each time that so many were sent. A socket takes milliseconds to close, so it is one for all.
    static func send(
        _ packet: Packet, times: Int, to interface: UInt32, while goesOn: () -> Bool = { false }
    ) throws {
        let descriptor = socket(AF_PACKET, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        // Or the socket would wait for those that are on their way, and the interface always have room.
        var room: Int32 = 8 << 20
        try #require(setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, 4) == 0)
        // struct sockaddr_ll (linux/if_packet.h): family, protocol, interface, type of hardware, of packet, address.
        var address: (UInt16, UInt16, UInt32, UInt16, UInt8, UInt8, UInt64) = (
            UInt16(AF_PACKET), 0, interface, 0, 0, 6, 0
        )
        let bytes = packet.bytes
        repeat {
            for _ in 0..<times {
                _ = withUnsafePointer(to: &address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        sendto(descriptor, bytes, bytes.count, 0, $0, 20)
                    }
                }
            }
        } while goesOn()
    }
}

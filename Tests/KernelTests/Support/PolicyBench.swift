// SPDX-License-Identifier: Apache-2.0
import Packets
import TestSupport
import XDP

/// A filter with a policy and no rules on a veth pair, which the command changes, and packets through it.
final class PolicyBench: Sendable {
    private let bench: ChainBench

    init(policy: String) throws {
        bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let file = try directory.write("policy.xdp", "rules { default \(policy) }\n")
        try command("apply", file)
    }

    /// Runs `xdpctl filter`, which has to succeed.
    func command(_ verb: String, _ argument: String) throws {
        let result = try Subprocess.xdpctl("filter", verb, "near", argument, "--netns", bench.path)
        guard result.status == 0 else {
            throw Subprocess.Failure(what: "filter \(verb) \(argument): \(result)")
        }
    }

    /// Which of the packets come through, in their order.
    func arriving(_ packets: [Packet]) throws -> [Packet] {
        try bench.namespace.run { [bench] in
            let receiver = try PacketSocket(interface: bench.index, role: .receiver)
            let sender = try PacketSocket(interface: bench.far, role: .sender)
            var found: [Packet] = []
            for packet in packets {
                try receiver.discard()
                try sender.send(packet)
                let bytes = packet.bytes
                let deadline = ContinuousClock.now + .milliseconds(60)
                while ContinuousClock.now < deadline {
                    guard let frame = try receiver.receive(within: .milliseconds(60)) else { break }
                    if frame.starts(with: bytes) {
                        found.append(packet)
                        break
                    }
                }
            }
            return found
        }
    }
}

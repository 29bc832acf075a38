// SPDX-License-Identifier: Apache-2.0
import Netlink
import XDP

/// The other end of a veth, wherever it is.
enum PeerReading {
    /// What it has counted; nil where it cannot be got at.
    static func sample(_ peer: InterfacePeer) -> InterfaceSample? {
        inside(peer) { () throws(XDPError) in
            var sampler = try InterfaceSampler()
            return try sampler.sample(try Interface(named: peer.name))
        }
    }

    /// Whether its stack leaves checksums to the card.
    static func leavesChecksums(_ peer: InterfacePeer) -> Bool? {
        inside(peer) { () throws(XDPError) in
            guard var socket = try? EthtoolSocket(), let offloads = try? socket.offloads(of: peer.index)
            else {
                return nil
            }
            return ["tx-checksum-ip-generic", "tx-checksum-ipv4", "tx-checksum-ipv6"].contains {
                offloads[$0] == true
            }
        }
    }

    private static func inside<Value: Sendable>(
        _ peer: InterfacePeer, _ body: @Sendable () throws(XDPError) -> Value?
    ) -> Value? {
        guard peer.isElsewhere else { return (try? body()).flatMap { $0 } }
        guard let reference = peer.namespace, let namespace = try? NetworkNamespace(parsing: reference),
            let result = try? namespace.result(of: body)
        else { return nil }
        return (try? result.get()).flatMap { $0 }
    }
}

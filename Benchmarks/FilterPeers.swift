// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import Netlink
import Packets
import TestSupport
import XDP

/// The whole cost of a packet that is dropped, from the wire to the verdict, beside nftables.
///
/// XDP programs get packets that come over the veth pair; nftables gets them where the stack gets them, without the
/// way over the pair. So what is compared is what a machine spends on a flood of packets that it does not want.
struct FilterPeers {
    let bench: FilterBench
    private static let packets: UInt32 = 500_000

    private struct Way {
        var name: String
        /// Nanoseconds a packet with each set of rules.
        var costs: [Double]
    }

    func show(_ report: Report) throws {
        var route = try RouteSocket()
        let near = try route.link(named: bench.near)
        let far = try route.link(named: "bench1")
        guard let target = near.hardwareAddress else { throw BenchmarkError("\(bench.near) has no address") }
        let addresses = FilterRules.addresses(1000)
        // The last one of the list: who goes through a list has gone through all of it.
        let source = Packet.IPv4(stringLiteral: addresses[999])
        let packet = Packet.ethernet(to: Packet.MAC(target.bytes)).ipv4(from: source, to: "198.51.100.7")
            .udp(from: 40000, to: 53).padded(to: 64).bytes

        var ways: [Way] = []
        let overPair = try Program.load(Self.redirecting(to: far.index)).take()
        let ours = try [
            "rules {\n  drop udp dport 53\n  default pass\n}\n", FilterRules.set(addresses),
            FilterRules.lines(addresses),
        ].map { rules in
            try bench.apply(rules)
            defer { try? bench.unload() }
            return try cost { try overPair.sendLive(packet, interfaceIndex: near.index, count: $0) }
        }
        ways.append(Way(name: "xdpctl filter", costs: ours))
        if (try? ChildProcess.run(["xdp-filter", "help"])) != nil {
            try XDPFilter.load(on: bench.near, features: "ipv4")
            for address in addresses { try XDPFilter.add(address) }
            let listed = try cost { try overPair.sendLive(packet, interfaceIndex: near.index, count: $0) }
            try XDPFilter.unload(from: bench.near)
            ways.append(Way(name: "xdp-filter", costs: [.nan, listed, .nan]))
        }
        if (try? ChildProcess.run(["nft", "--version"]))?.status == 0 {
            let toStack = try Program.load(ProgramImage.passing("to_stack")).take()
            for (name, hook) in [
                ("nftables, netdev ingress", "hook ingress device \(bench.near) priority 0"),
                ("nftables, inet prerouting", "hook prerouting priority -300"),
            ] {
                let family = hook.contains("ingress") ? "netdev" : "inet"
                let costs = try Self.nftables(family, hook, addresses).map { text in
                    try ChildProcess.succeed(["nft", "-f", try bench.file("rules.nft", text)])
                    defer { _ = try? ChildProcess.run(["nft", "flush", "ruleset"]) }
                    return try cost {
                        try toStack.sendLive(packet, interfaceIndex: near.index, count: $0)
                    }
                }
                ways.append(Way(name: name, costs: costs))
            }
        } else {
            report.note("nftables is not installed")
        }
        report.section("A packet that is dropped, all in all (ns)")
        report.table(
            [["", "one rule", "set of 1,000", "1,000 rules"]]
                + ways.map { way in
                    [way.name] + way.costs.map { $0.isNaN ? "-" : Text.decimal($0, 0) }
                })
        report.note("bpfilter is not in Debian; xdp-filter has lists only")
    }

    private static func nftables(_ family: String, _ hook: String, _ addresses: [String]) -> [String] {
        func table(_ set: String, _ rules: String) -> String {
            "flush ruleset\ntable \(family) bench {\n\(set)  chain input {\n    type filter \(hook);\n"
                + "\(rules)  }\n}\n"
        }
        let list = "  set listed { type ipv4_addr; elements = { \(addresses.joined(separator: ", ")) } }\n"
        return [
            table("", "    udp dport 53 counter drop\n"),
            table(list, "    ip saddr @listed counter drop\n"),
            table("", addresses.map { "    ip saddr \($0) counter drop\n" }.joined()),
        ]
    }

    /// Sends every packet out of an interface.
    private static func redirecting(to index: UInt32) -> ProgramImage {
        ProgramImage(
            name: "generator",
            instructions: [
                .move(.r1, Int32(bitPattern: index)), .move(.r2, 0), .call(helper: 23), .exit,
            ], license: "GPL")
    }

    /// Nanoseconds a packet: of two numbers of packets the difference, so that what a call costs is left out.
    private func cost(_ send: (UInt32) throws -> Void) throws -> Double {
        var best = [Double](repeating: .infinity, count: 2)
        try send(1000)
        for _ in 0..<3 {
            for (place, count) in [Self.packets, Self.packets / 5].enumerated() {
                let start = ContinuousClock.now
                try send(count)
                let time = ContinuousClock.now - start
                best[place] = min(
                    best[place],
                    Double(time.components.seconds) * 1e9 + Double(time.components.attoseconds) / 1e9)
            }
        }
        return (best[0] - best[1]) / Double(Self.packets - Self.packets / 5)
    }
}

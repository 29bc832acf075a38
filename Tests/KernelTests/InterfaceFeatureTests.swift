// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import SystemPackage
import TestSupport
import Testing

@testable import BPF
@testable import XDP

/// What interfaces say of themselves, held against what they do. Needs root.
@Suite("Features of interfaces on the kernel")
struct InterfaceFeatureTests {
    /// Whether this kernel tells what drivers can do.
    private static func tells() throws -> Bool {
        let socket = try NetdevSocket.whereKnown()
        return socket != nil
    }

    @Test("whether programs run natively is what a real attachment says, or unknown with a reason")
    func native() throws {
        let bench = try ChainBench(withTAP: true)
        var route = try RouteSocket(in: bench.namespace)
        // Not every kernel has each of them.
        for kind in ["bridge", "ifb", "dummy", "bond"] { _ = try? route.createLink("x\(kind)", kind: kind) }
        for words in ["xvlan type vlan id 5", "xmacvlan type macvlan"] {
            let arguments = ["--net=\(bench.path)", "ip", "link", "add", "link", "near", "name"]
            _ = try Subprocess.run("nsenter", arguments + words.split(separator: " ").map(String.init))
        }
        var seen: Set<String> = []

        for link in try route.links() {
            let features = try bench.features(link.name)
            let refusal = try bench.nativeRefusal(of: link.index)
            seen.insert(link.name)
            switch features.native {
            case .supported: #expect(refusal == nil, "\(link.name): \(features)")
            case .unsupported: #expect(refusal == .notSupportedOnSocket, "\(link.name): \(features)")
            case .unknown(InterfaceFeatures.withoutPorts):
                #expect(link.kind == "bond" && refusal == nil, "\(link.name): \(features)")
            case .unknown(let reason):
                #expect(try !Self.tells(), "\(link.name): \(reason)")
                #expect(reason.contains("Linux 6.3"), "\(link.name): \(reason)")
            }
        }

        #expect(seen.isSuperset(of: ["lo", "near", "far", "tap", "xbridge"]))
    }

    @Test("a program that runs natively is evidence, whatever the kernel tells")
    func runningProgram() throws {
        let bench = try ChainBench()
        let program = try bench.run(on: bench.index)

        let features = try bench.features()
        withExtendedLifetime(program) {}

        #expect(features.native == .supported && features.features[.basic] == .supported)
        #expect(try Self.tells() || features.evidence.contains { $0.hasPrefix("native: program") })
    }

    @Test(
        "packets can be redirected to a veth as it says: with GRO or a program on its peer, and not without")
    func redirection() throws {
        let bench = try ChainBench(withTAP: true)

        func check(_ state: String) throws -> InterfaceFeatures {
            let features = try bench.features()
            let arrives = try bench.arrives(redirectedTo: bench.index, at: bench.far, of: bench.namespace)
            #expect(
                features.features[.transmit] == (arrives ? .supported : .unsupported), "\(state): \(features)"
            )
            #expect(features.obstacles.contains { $0.rule == "peer-napi" } == !arrives, "\(state)")
            return features
        }
        try bench.setGRO(false, of: "far")
        let without = try check("neither")
        try bench.setGRO(true, of: "far")
        let withGRO = try check("GRO")
        let program = try bench.run(on: bench.far)
        let withBoth = try check("both")
        try bench.setGRO(false, of: "far")
        let withProgram = try check("a program")
        withExtendedLifetime(program) {}

        #expect(without.features[.transmit] == .unsupported)
        #expect(withBoth.features[.transmit] == .supported)
        #expect(withProgram.features[.transmit] == .supported)
        #expect(withProgram.peer?.nativeProgramID != nil && withProgram.peer?.gro == false)
        #expect(withGRO.peer?.gro == true)
        let obstacle = try #require(without.obstacles.first { $0.rule == "peer-napi" })
        #expect(obstacle.severity == .warning && obstacle.remedy?.contains("far") == true)
    }

    @Test("the peer decides also from another namespace, and is found there")
    func peerElsewhere() throws {
        let bench = try ChainBench(withTAP: true)
        let elsewhere = try NetworkNamespace.create(name: "xdpfeat-\(getpid())")
        defer { try? NetworkNamespace.delete(name: "xdpfeat-\(getpid())") }
        var route = try RouteSocket(in: bench.namespace)
        try route.move(bench.far, to: elsewhere)
        var remote = try RouteSocket(in: elsewhere)
        let far = try remote.link(named: "far").index
        try remote.setUp(far)

        let without = try bench.features()
        let lost = try !bench.arrives(redirectedTo: bench.index, at: far, of: elsewhere)
        let program = try elsewhere.run { try RunningProgram(on: far) }
        let with = try bench.features()
        let arrives = try bench.arrives(redirectedTo: bench.index, at: far, of: elsewhere)
        withExtendedLifetime(program) {}

        #expect(lost && without.features[.transmit] == .unsupported, "\(without)")
        #expect(without.peer?.isElsewhere == true && without.peer?.name == "far")
        #expect(without.peer?.namespace == "xdpfeat-\(getpid())", "\(without)")
        let remedy = without.obstacles.first { $0.rule == "peer-napi" }?.remedy ?? ""
        #expect(
            try !Self.tells() || remedy.contains("ip netns exec xdpfeat-\(getpid()) ethtool -K far gro on"))
        #expect(arrives && with.features[.transmit] == .supported, "\(with)")
    }

    @Test("a veth with fewer queues than its peer sends on is refused, and says so before")
    func queues() throws {
        try KernelNeed.vethQueues.check()
        let namespace = try NetworkNamespace.makePrivate()
        var route = try RouteSocket(in: namespace)
        let near = try route.createVeth("near", peer: "far", queues: 2).index
        try namespace.run {
            try EthtoolSwitch.setChannels(receive: 2, transmit: 2, of: "far")
            try EthtoolSwitch.setChannels(receive: 1, transmit: 1, of: "near")
        }

        let features = try namespace.run { try InterfaceFeatures.read(of: Interface(named: "near")) }
        let refusal = #expect(throws: Errno.self) { try namespace.run { _ = try RunningProgram(on: near) } }
        try namespace.run { try EthtoolSwitch.setChannels(receive: 2, transmit: 1, of: "far") }
        let after = try namespace.run { try InterfaceFeatures.read(of: Interface(named: "near")) }
        let program = try namespace.run { try RunningProgram(on: near) }
        withExtendedLifetime(program) {}

        #expect(refusal == .noSpace)
        #expect(try features.native == .unsupported || !Self.tells())
        let obstacle = try #require(features.obstacles.first { $0.rule == "queues" })
        #expect(obstacle.severity == .error && obstacle.remedy == "`ethtool -L far tx 1`", "\(obstacle)")
        #expect(!after.obstacles.contains { $0.rule == "queues" })
    }

    @Test("while a program without frags runs, the largest MTU is known, and it is the real one")
    func largestMTU() throws {
        let bench = try ChainBench()
        let before = try bench.features()
        let program = try bench.run(on: bench.index)
        let features = try bench.features()
        var route = try RouteSocket(in: bench.namespace)

        let limit = try #require(features.singleBuffer.largestMTU)
        try route.setMTU(limit, of: bench.far)
        let refusal = failure { () throws(NetlinkError) in try route.setMTU(limit + 1, of: bench.far) }
        withExtendedLifetime(program) {}

        #expect(before.singleBuffer.largestMTU == nil)
        #expect(features.singleBuffer.atPresentMTU == .supported)
        #expect(refusal?.errno == .invalidArgument)
    }

    @Test("driver, queues and offloads are read where the driver tells")
    func ethtool() throws {
        let bench = try ChainBench(withTAP: true)

        let veth = try bench.features()
        let tap = try bench.features("tap")
        let loopback = try bench.features("lo")

        #expect(veth.kind == "veth" && veth.driver?.name == "veth" && veth.mtu == 1500 && veth.isUp)
        #expect(veth.offloads["rx-gro"] != nil && veth.offloads["rx-lro"] == nil)
        #expect(tap.driver?.name == "tun")
        #expect(loopback.driver == nil && loopback.queues == nil && loopback.rings == nil)
    }

    @Test("all interfaces of a namespace are read, and one that is gone is a failure of its own")
    func all() throws {
        let bench = try ChainBench()

        let names = try bench.namespace.run { try InterfaceFeatures.all().map(\.name) }
        let gone = try bench.namespace.run { try Interface(named: "near") }
        var route = try RouteSocket(in: bench.namespace)
        try route.deleteLink(bench.index)
        let error = bench.failure { try bench.namespace.run { try InterfaceFeatures.read(of: gone) } }

        #expect(names.first == "lo" && Set(names).isSuperset(of: ["near", "far"]))
        #expect(error?.what.contains("near") == true)
    }
}

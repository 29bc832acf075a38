// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

@testable import BPF

/// `xdpctl features` on interfaces of its own. Needs root.
@Suite("xdpctl features")
struct FeatureCommandTests {
    /// What --json prints, as far as it is looked at here.
    private struct Report: Decodable {
        struct Interface: Decodable {
            struct Answer: Decodable {
                let name: String
                let support: String
                let reason: String?
            }
            struct SingleBuffer: Decodable {
                let support: String
                let largestMtu: UInt32?
                let kernelMessage: String?
            }
            struct Obstacle: Decodable {
                let rule: String
                let severity: String
                let remedy: String?
            }
            let name: String
            let features: [Answer]
            let singleBuffer: SingleBuffer
            let obstacles: [Obstacle]

            func support(_ name: String) -> String? { features.first { $0.name == name }?.support }
        }
        struct Requirement: Decodable {
            let interface: String
            let name: String
            let support: String
            let reason: String?
        }
        let interfaces: [Interface]
        let required: [Requirement]?
        let isMet: Bool?
    }

    private static func report(_ result: Subprocess.Result) throws -> Report {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Report.self, from: Data(result.output.utf8))
    }

    private static func tells() throws -> Bool {
        let socket = try NetdevSocket.whereKnown()
        return socket != nil
    }

    @Test("all interfaces are in the table, one is shown in full, both on 80 columns")
    func text() throws {
        let bench = try ChainBench(withTAP: true)

        let all = try bench.xdpctl("features")
        let one = try bench.xdpctl("features", "near")
        let two = try bench.xdpctl("features", "near", "tap")
        let json = try Self.report(bench.xdpctl("features", "--json"))

        for result in [all, one, two] {
            #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
            #expect(result.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(result)")
        }
        let names = all.output.split(separator: "\n").compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
        #expect(Set(names).isSuperset(of: ["lo", "near", "far", "tap"]), "\(all)")
        #expect(one.output.contains("native mode") && one.output.contains("peer"), "\(one)")
        #expect(
            two.output.contains("near  veth, up, MTU 1500") && two.output.contains("tap  tun, up"), "\(two)")
        #expect(json.interfaces.map(\.name).contains("tap") && json.required == nil)
    }

    @Test(
        "--require ends with 0 where all is there, else with 3 and says what is missing and what would bring it"
    )
    func require() throws {
        let bench = try ChainBench()
        let program = try bench.run(on: bench.far)
        // What runs on it proves the native mode on every kernel.
        let met = try bench.xdpctl("features", "far", "--require", "native,basic")
        let json = try bench.xdpctl("features", "near", "--require", "ndo-xmit", "--json")
        withExtendedLifetime(program) {}
        let missing = try bench.xdpctl("features", "lo", "--require", "native", "--require", "redirect")
        let both = try bench.xdpctl("features", "near", "far", "--require", "hw-offload,native", "--json")

        #expect(met.status == 0 && met.output.contains("native"), "\(met)")
        #expect(json.status == 0, "\(json)")
        #expect(try Self.report(json).isMet == true)
        #expect(missing.status == 3 && missing.errors.isEmpty, "\(missing)")
        #expect(both.status == 3)
        let required = try #require(try Self.report(both).required)
        #expect(required.map(\.name) == ["hw-offload", "native", "hw-offload", "native"])
        if try Self.tells() {
            #expect(missing.output.contains("lo  redirect  no"), "\(missing)")
        } else {
            #expect(missing.output.contains("unknown: this kernel does not tell"), "\(missing)")
            let near = required.filter { $0.interface == "near" }
            #expect(near.allSatisfy { $0.support == "unknown" && $0.reason != nil }, "\(both)")
        }
    }

    @Test("the missing peer's side is named with what would bring it")
    func remedy() throws {
        let bench = try ChainBench()
        try bench.setGRO(false, of: "far")

        let before = try bench.xdpctl("features", "near", "--require", "ndo-xmit")
        let program = try bench.run(on: bench.far)
        let after = try bench.xdpctl("features", "near", "--require", "ndo-xmit")
        withExtendedLifetime(program) {}

        #expect(before.status == 3 && before.output.contains("program on far natively"), "\(before)")
        #expect(after.status == 0, "\(after)")
    }

    @Test(
        "what makes no sense is wrong usage",
        arguments: [
            ["near", "--require", "natve"], ["--require", "native"], ["--probe"], ["near", "--require", ","],
            ["near", "--watch", "--probe"], ["near", "--kernel"], ["near", "--watch", "--require", "native"],
        ])
    func usage(_ words: [String]) throws {
        let bench = try ChainBench()

        let result = try bench.xdpctl(["features"] + words)

        #expect(result.status == 2 && !result.errors.isEmpty, "\(result)")
    }

    @Test("an interface that is not there is a failure")
    func missing() throws {
        let bench = try ChainBench()

        let failure = try bench.failingXDPControl(["features", "nowhere"])

        #expect(failure.text.status == 1 && failure.failure.why.contains("no interface of that name"))
    }

    @Test("--probe finds out what the kernel does not tell, with the largest MTU, and leaves nothing")
    func probe() throws {
        let bench = try ChainBench()

        let text = try bench.xdpctl("features", "near", "--probe")
        let report = try Self.report(bench.xdpctl("features", "near", "--probe", "--json"))
        let near = try #require(report.interfaces.first)
        let limit = try #require(near.singleBuffer.largestMtu)
        var route = try RouteSocket(in: bench.namespace)
        try route.setMTU(limit + 1, of: bench.far)
        let tooLarge = try bench.nativeRefusal(of: bench.index)
        try route.setMTU(limit, of: bench.far)
        let fits = try bench.nativeRefusal(of: bench.index)

        #expect(text.status == 0 && text.output.contains("A program was attached"), "\(text)")
        #expect(text.output.contains("MTU 1500 of the peer: ok without frags, at most \(limit)"), "\(text)")
        #expect(near.support("native") == "yes" && near.singleBuffer.support == "yes")
        #expect(tooLarge == .outOfRange && fits == nil)
        #expect(try route.link(index: bench.index).attachments.isEmpty)
    }

    @Test("--probe at too large an MTU gives the kernel's own words and the remedy, and tries frags")
    func largeMTU() throws {
        let bench = try ChainBench(mtu: 9000)
        let frags = try KernelNeed.missing(for: "frags") == nil

        let text = try bench.xdpctl("features", "near", "--probe")
        let near = try #require(
            try Self.report(bench.xdpctl("features", "near", "--probe", "--json")).interfaces.first)
        let refusals = try [
            bench.nativeRefusal(of: bench.index),
            frags ? bench.nativeRefusal(of: bench.index, frags: true) : nil,
        ]

        #expect(refusals == [.outOfRange, nil])
        #expect(text.output.contains("MTU 9000 of the peer: refused, the kernel said: "), "\(text)")
        #expect(near.singleBuffer.kernelMessage?.contains("MTU is too large to set XDP") == true)
        let obstacle = try #require(near.obstacles.first { $0.rule == "mtu" })
        #expect(obstacle.severity == (frags ? "warning" : "error") || !frags, "\(text)")
        #expect(obstacle.remedy != nil)
        #expect(near.support("native") == (frags ? "yes" : "unknown"), "\(text)")
    }

    @Test("--probe where there is no native mode says so, and is not a failure")
    func probeWithout() throws {
        let bench = try ChainBench()
        var route = try RouteSocket(in: bench.namespace)
        try route.createLink("bridge", kind: "bridge")

        let result = try bench.xdpctl("features", "bridge", "--probe", "--json")

        let bridge = try #require(try Self.report(result).interfaces.first)
        #expect(result.status == 0 && bridge.support("native") == "no" && bridge.support("basic") == "no")
        #expect(bridge.singleBuffer.kernelMessage?.contains("native mode") == true, "\(result)")
    }

    @Test(
        "--probe is refused where something runs, in either mode, and disturbs nothing",
        arguments: AttachMode.allCases)
    func refused(_ mode: AttachMode) throws {
        guard mode != .offload else { return }
        let bench = try ChainBench()
        try bench.loadAll("pass", mode: mode == .native ? .native : .generic)
        let before = try bench.chain().programID

        let failure = try bench.failingXDPControl(["features", "near", "--probe"])

        #expect(failure.text.status == 3, "\(failure.text)")
        #expect(failure.failure.why.contains("runs on it in \(mode) mode"), "\(failure.failure)")
        #expect(try bench.chain().programID == before)
    }

    @Test("a probe that is killed, wherever it is, leaves nothing on the hook")
    func killed() throws {
        let bench = try ChainBench()
        var route = try RouteSocket(in: bench.namespace)
        var attached = 0

        for number in 1..<200 {
            let result = try Subprocess.worker(bench, "near", ["probe", "\(number)"]).wait()
            let isEmpty = try eventually { try route.link(index: bench.index).attachments.isEmpty }
            #expect(isEmpty, "killed at question \(number)")
            if result.status == 0 { break }
            try #require(result.status == -SIGKILL, "\(result)")
            if result.output == "attached" { attached += 1 }
        }

        // It looks at the interface while its program is attached, in a dozen questions.
        #expect(attached > 5)
        #expect(try bench.xdpctl("features", "near", "--probe").status == 0)
    }
}

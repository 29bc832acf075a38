// SPDX-License-Identifier: Apache-2.0
import Foundation
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

/// `status --all-netns`. Needs root and iproute2. Other tests make and end namespaces meanwhile.
@Suite("Status of all network namespaces")
struct AllNamespacesTests {
    /// A namespace with a name, which goes with this value.
    private final class Named: Sendable {
        let name = "xdp-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        let namespace: NetworkNamespace

        init() throws { namespace = try NetworkNamespace.create(name: name) }

        deinit {
            cleanUp(namespace)
            try? NetworkNamespace.delete(name: name)
        }
    }

    private func status(_ words: String...) throws -> PrintedNamespaces {
        let result = try Subprocess.run(
            Subprocess.binary("xdpctl"), ["status"] + words + ["--all-netns", "--json"])
        try #require(result.status == 0, "\(result)")
        return try JSONDecoder().decode(PrintedNamespaces.self, from: Data(result.output.utf8))
    }

    @Test("every way to a namespace is found, each once, and --netns takes it")
    func ways() throws {
        let named = try Named()
        let bench = try ChainBench()
        try bench.load("pass")
        let sleeper = try Subprocess("nsenter", ["--net=\(bench.path)", "sleep", "30"])
        defer {
            kill(sleeper.processID, SIGKILL)
            _ = try? sleeper.wait()
        }
        _ = try #require(sleeper.processNumber(in: bench.namespace.identity))

        let report = try status()

        #expect(report.format == 1)
        #expect(Set(report.namespaces.map(\.inode)).count == report.namespaces.count)
        #expect(report.namespaces.filter(\.current).count == 1)
        let own = try #require(report.namespaces.first { $0.current })
        #expect(try own.inode == NetworkNamespace.current().identity.inode)
        let byName = try #require(report.namespaces.first { $0.name == named.name })
        #expect(byName.inode == named.namespace.identity.inode && byName.interfaces.map(\.name) == ["lo"])
        let byProcess = try #require(
            report.namespaces.first { $0.inode == bench.namespace.identity.inode })
        #expect(byProcess.pid == sleeper.processID && byProcess.name == nil)
        #expect(byProcess.command == "sleep")
        let near = try #require(byProcess.interfaces.first { $0.name == "near" })
        #expect(try near.state == "chain" && near.chain?.program_id == bench.chain().programID)
        for way in [byProcess.path, "\(sleeper.processID)"] {
            let there = try Subprocess.xdpctl("status", "near", "--netns", way)
            #expect(there.output.hasPrefix("near  native mode, 1 member"), "\(there)")
        }
    }

    @Test("a chain on an interface that moved is found where it is now")
    func moved() throws {
        let old = try Named()
        let new = try Named()
        var route = try RouteSocket(in: old.namespace)
        try route.createVeth("moving", peer: "staying")
        let object = try Fixture.path("pass")
        let load = try Subprocess.xdpctl("load", "moving", object, "--netns", old.name)
        try #require(load.status == 0, "\(load)")
        let move = try Subprocess.run("ip", ["-n", old.name, "link", "set", "moving", "netns", new.name])
        try #require(move.status == 0, "\(move)")

        let report = try status("moving")

        #expect(report.namespaces.map(\.name) == [new.name])
        #expect(report.namespaces.first?.interfaces.map(\.state) == ["chain"])
    }

    @Test("the text says which namespace is which, and names the idle ones in a line")
    func text() throws {
        let busy = try Named()
        let idle = try Named()
        var route = try RouteSocket(in: busy.namespace)
        try route.createVeth("near", peer: "far")
        let script = "ip link set near xdpdrv obj \"$0\" sec xdp"
        let attach = try Subprocess.run(
            "nsenter", ["--net=/run/netns/\(busy.name)", "sh", "-c", script, Fixture.path("pass")])
        try #require(attach.status == 0, "\(attach)")

        let result = try Subprocess.xdpctl("status", "--all-netns")

        #expect(result.status == 0, "\(result)")
        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let title = try #require(lines.firstIndex(of: "namespace \(busy.name)"))
        #expect(lines[title + 1] == "near  native mode, one program that xdpctl did not load")
        // What runs in the namespaces of other tests is theirs.
        let section = lines[title...].prefix { !$0.isEmpty }
        #expect(section.count > 4 && section.allSatisfy { $0.count <= 80 }, "\(result)")
        let last = lines[title...].drop { !$0.hasPrefix("no XDP program in namespace ") }
        #expect(last.contains { $0.contains(idle.name) }, "\(result)")
    }

    @Test("an interface that is nowhere is a failure, and two ways to choose are wrong usage")
    func refusals() throws {
        let missing = try Subprocess.xdpctl("status", "no-such-one", "--all-netns")
        let both = try Subprocess.xdpctl("status", "--all-netns", "--netns", "1")

        #expect(missing.status == 1 && missing.errors.contains("in any network namespace"), "\(missing)")
        #expect(both.status == 2 && both.errors.contains("exclude each other"), "\(both)")
    }
}

// SPDX-License-Identifier: Apache-2.0
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

/// The command in and for other network namespaces. Needs root and iproute2.
@Suite("The command and network namespaces")
struct CommandNamespaceTests {
    /// A namespace with a name and a veth pair, which goes with this value.
    private final class Named: Sendable {
        let name = "xdp-test-\(getpid())-\(UInt16.random(in: 0...UInt16.max))"
        let namespace: NetworkNamespace

        init() throws {
            namespace = try NetworkNamespace.create(name: name)
            var route = try RouteSocket(in: namespace)
            try route.createVeth("near", peer: "far")
        }

        deinit {
            cleanUp(namespace)
            try? NetworkNamespace.delete(name: name)
        }

        func chain() throws -> ActiveChain {
            let occupant = try namespace.run { try Interface(named: "near").occupant() }
            guard case .chain(let active) = occupant else { throw NoChain() }
            return active
        }
    }

    @Test("--netns takes a name, a path and the number of a process")
    func ways() throws {
        let named = try Named()
        let object = try Fixture.path("pass")
        // A process that stays in the namespace until it is told to go.
        let sleeper = try Subprocess(
            "nsenter", ["--net=/run/netns/\(named.name)", "sh", "-c", "echo $$; exec sleep 50"])
        let byName = try Subprocess.xdpctl("load", "near", object, "--name", "a", "--netns", named.name)
        let byPath = try Subprocess.xdpctl(
            "load", "near", object, "--name", "b", "--netns", "/run/netns/\(named.name)")
        let number = try #require(sleeper.processNumber(in: named.namespace.identity))
        let byNumber = try Subprocess.xdpctl("load", "near", object, "--name", "c", "--netns", "\(number)")
        // Threads of the pool block the others, and the process has that from them.
        kill(sleeper.processID, SIGKILL)
        _ = try sleeper.wait()

        #expect([byName, byPath, byNumber].allSatisfy { $0.status == 0 }, "\(byName)\(byPath)\(byNumber)")
        #expect(try named.chain().manifest.chain.members.map(\.name) == ["a", "b", "c"])
    }

    @Test(
        "a namespace that is not there is a failure, with the ways to name one",
        arguments: [
            "xdp-test-nosuch", "/run/netns/xdp-test-nosuch", "4000000", "/etc/passwd",
        ])
    func missing(_ name: String) throws {
        let result = try Subprocess.xdpctl("status", "--netns", name)

        #expect(result.status == 1, "\(result)")
        #expect(result.errors.contains("cannot be entered"), "\(result)")
        #expect(result.errors.contains("`ip netns`"))
    }

    @Test("a chain loaded inside `ip netns exec` survives the command and its mounts")
    func insideExec() throws {
        let named = try Named()

        let load = try Subprocess.run(
            "ip",
            ["netns", "exec", named.name, Subprocess.binary("xdpctl"), "load", "near", Fixture.path("pass")])
        try #require(load.status == 0, "\(load)")
        let program = try named.chain().programID
        let change = try Subprocess.run(
            "ip",
            [
                "netns", "exec", named.name, Subprocess.binary("xdpctl"), "load", "near",
                Fixture.path("tail_static"),
            ])
        let link = try #require(try named.chain().linkID)
        let arrays = try named.chain().manifest.chain.members.flatMap(\.programArrayIDs)

        #expect(change.status == 0, "\(change)")
        #expect(try named.chain().programID != program)
        #expect(BPFPins.links().contains(link))
        #expect(BPFPins.arrays().isSuperset(of: arrays))
        let unload = try Subprocess.run(
            "ip", ["netns", "exec", named.name, Subprocess.binary("xdpctl"), "unload", "near", "--all"])
        #expect(unload.status == 0, "\(unload)")
        #expect(!BPFPins.links().contains(link))
    }
}

extension Subprocess {
    /// The number of the process, once it is in a network namespace.
    func processNumber(in namespace: NetworkNamespace.Identity) -> Int32? {
        let arrived = eventually(within: 2) {
            (try? NetworkNamespace(processID: processID).identity == namespace) ?? false
        }
        return arrived ? processID : nil
    }
}

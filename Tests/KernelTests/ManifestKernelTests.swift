// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

/// The manifest in the kernel is the only state. Needs root.
@Suite("The manifest in the kernel")
struct ManifestKernelTests {
    @Test("another process relinks a chain without the object files")
    func withoutFiles() throws {
        let bench = try ChainBench()
        let files = try ["choose", "counters"].map { try TemporaryFile(copying: Fixture.path($0)) }
        for (file, name) in zip(files, ["choose", "counters"]) {
            let result = try Subprocess.xdpctl(
                "load", "near", file.path, "--name", name, "--netns", bench.path)
            try #require(result.status == 0, "\(result)")
            file.delete()
        }

        let move = try Subprocess.xdpctl("move", "near", "counters", "--first", "--netns", bench.path)
        let edge = try Subprocess.xdpctl("edge", "near", "choose", "drop=end", "--netns", bench.path)
        let load = try Subprocess.xdpctl("load", "near", Fixture.path("pass"), "--netns", bench.path)
        try bench.send([ChainBench.packet(for: .pass), ChainBench.packet(for: .drop)])
        let counters = try bench.counters(seeing: 2)

        #expect([move, edge, load].allSatisfy { $0.status == 0 }, "\(move)\(edge)\(load)")
        #expect(try bench.memberNames() == ["counters", "choose", "pass"])
        #expect(counters["choose"]?[.drop].packets == 1)
        #expect(counters["pass"]?[.pass].packets == 1)
    }

    /// What can be wrong with a manifest.
    enum Fault: CaseIterable, Sendable {
        case newer, damaged, foreign
    }

    @Test(
        "a manifest that is not one of ours, or not whole, is handled as it says", arguments: Fault.allCases)
    func unreadable(_ fault: Fault) throws {
        let bench = try ChainBench()
        let stranger = try AttachedStranger(bench, manifest: Self.bytes(fault))

        let occupant = try bench.occupant()
        let load = bench.failure { try bench.load("pass") }
        let unload = bench.failure { try bench.edit { editor throws(XDPError) in try editor.unload(nil) } }
        let status = try Subprocess.xdpctl("status", "near", "--json", "--netns", bench.path)

        #expect(try bench.namespace.run { try Interface(named: "near").link.xdp?.programID } == stranger.id)
        #expect(load?.kind == .refused && unload?.kind == .refused, "\(load.debugText) \(unload.debugText)")
        #expect(load?.remedy != nil && unload?.remedy != nil)
        #expect(status.status == 0, "\(status)")
        switch (fault, occupant) {
        case (.newer, .unreadable(_, .newer(let version))):
            #expect(version == Manifest.version + 1)
            #expect(load?.why.contains("format \(version)") == true, "\(load.debugText)")
            #expect(status.output.contains("\"unreadable\""))
        case (.damaged, .unreadable(_, .damaged)):
            #expect(load?.why.contains("damaged") == true, "\(load.debugText)")
            #expect(status.output.contains("\"unreadable\""))
        case (.foreign, .foreign(let program)):
            #expect(program.information.id == stranger.id)
            #expect(load?.why.contains("which xdpctl did not load") == true, "\(load.debugText)")
            #expect(status.output.contains("\"foreign\""))
        default: Issue.record("\(fault) is taken for \(occupant)")
        }
    }

    private static func bytes(_ fault: Fault) -> [UInt8] {
        var bytes = Manifest(chain: Chain(), mode: .native).encoded()
        switch fault {
        case .newer: bytes[8] += 1
        case .damaged: bytes[bytes.count - 1] ^= 0xff
        case .foreign: bytes[0] ^= 0xff
        }
        return bytes
    }
}

/// A program that somebody else put on `near`: by netlink, or held by a link as long as this value lives.
final class AttachedStranger: Sendable {
    let program: Program
    let link: XDPLink?
    let id: UInt32

    /// Attaches a program that passes everything, with a map that has the manifest's name if there are bytes
    /// for it.
    init(_ bench: ChainBench, manifest: [UInt8]? = nil, byLink: Bool = false) throws {
        let image = ProgramImage(name: "stranger", instructions: [.move(.r0, 2), .exit], license: "GPL")
        let program = try Program.load(image).take()
        if let manifest {
            let map = try MapHandle(
                MapDefinition(
                    name: "xdpctl_manifest", type: .array, keySize: 4, valueSize: UInt32(manifest.count),
                    maximumEntries: 1))
            try map.map.update([0, 0, 0, 0], to: manifest)
            try program.bind(map.map)
        }
        id = try program.information().id
        let descriptor = program.descriptor.rawValue
        if byLink {
            let copy = try Program(id: id)
            link = try bench.namespace.run { [index = bench.index] in
                try XDPLink(attaching: copy, toInterface: index, mode: .native)
            }
        } else {
            link = nil
            var route = try RouteSocket(in: bench.namespace)
            try route.attachXDP(descriptor, to: bench.index, mode: .native, expecting: .nothing)
        }
        self.program = program
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Netlink
import SystemPackage
import TestSupport
import Testing
import XDP

/// Other users of the hook, before us and after us. Needs root, iproute2 and xdp-tools.
@Suite("Programs of others on the hook")
struct ForeignProgramTests {
    @Test("a program that others attached is left alone, and the way out is said", arguments: [true, false])
    func before(_ byLink: Bool) throws {
        let bench = try ChainBench()
        let stranger = try AttachedStranger(bench, byLink: byLink)

        let errors = [
            bench.failure { try bench.load("pass") },
            bench.failure { try bench.edit { editor throws(XDPError) in try editor.unload(nil) } },
            bench.failure {
                try bench.edit { editor throws(XDPError) in try editor.move("pass", to: .first) }
            },
        ]

        for error in errors {
            #expect(error?.kind == .refused)
            #expect(error?.why.contains("program \(stranger.id) (stranger, tag ") == true)
            #expect(error?.remedy?.contains("`xdpctl adopt near`") == true, "\(error.debugText)")
        }
        #expect(try bench.namespace.run { try Interface(named: "near").link.xdp?.programID } == stranger.id)
    }

    @Test("after the way out was gone, the chain can be loaded")
    func wayOut() throws {
        let bench = try ChainBench()
        _ = try AttachedStranger(bench)

        let off = try Subprocess.run(
            "nsenter", ["--net=\(bench.path)", "ip", "link", "set", "dev", "near", "xdpdrv", "off"])
        try bench.load("pass")

        #expect(off.status == 0, "\(off)")
        #expect(try bench.memberNames() == ["pass"])
    }

    @Test("status names a foreign program and how to join")
    func status() throws {
        let bench = try ChainBench()
        let stranger = try AttachedStranger(bench)

        let result = try Subprocess.xdpctl("status", "near", "--netns", bench.path)

        #expect(result.status == 0)
        #expect(result.output.contains("one program that xdpctl did not load"))
        #expect(result.output.contains("program \(stranger.id) stranger"))
        #expect(result.output.contains("to join: `xdpctl adopt near`"))
    }

    @Test("the kernel keeps other loaders off a hook with our chain")
    func after() throws {
        let bench = try ChainBench()
        try bench.load("pass")
        let program = try bench.chain().programID
        let object = try Fixture.path("drop")
        func inside(_ words: String...) throws -> Subprocess.Result {
            // With a BPF file system of their own, in which they may leave what they like.
            let script = "mount -t bpf bpf /sys/fs/bpf && exec \"$@\""
            return try Subprocess.run(
                "nsenter",
                ["--net=\(bench.path)", "unshare", "--mount", "sh", "-c", script, "sh"] + words)
        }

        let ip = try inside(
            "ip", "-force", "link", "set", "dev", "near", "xdpdrv", "obj", object, "sec", "xdp")
        let off = try inside("ip", "link", "set", "dev", "near", "xdpdrv", "off")
        let loader = try inside("xdp-loader", "load", "near", object)
        let image = ProgramImage(name: "rival", instructions: [.move(.r0, 1), .exit], license: "GPL")
        let rival = try Program.load(image).take()
        let raw = try bench.namespace.run { [index = bench.index] () -> Errno? in
            do throws(Errno) {
                _ = try XDPLink(attaching: rival, toInterface: index, mode: .native)
                return nil
            } catch {
                return error
            }
        }

        #expect(ip.status != 0, "\(ip)")
        #expect(off.status != 0 && off.errors.contains("Can't replace active BPF XDP link"), "\(off)")
        #expect(loader.status != 0, "\(loader)")
        #expect(raw == .resourceBusy)
        #expect(try bench.chain().programID == program)
        #expect(try bench.memberNames() == ["pass"])
    }
}

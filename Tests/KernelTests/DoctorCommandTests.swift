// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Foundation
import Glibc
import Netlink
import TestSupport
import Testing
import XDP

/// `doctor` on the machine that the tests run on, which nothing here changes. Needs root.
@Suite("What doctor finds")
struct DoctorCommandTests {
    /// A pin in the BPF file system, in a directory of its own, which goes with this value.
    private final class Pin: Sendable {
        let directory = "/sys/fs/bpf/xdp-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        var path: String { directory + "/map" }

        init(mode: mode_t, directoryMode: mode_t) throws {
            try BPFFileSystem.makeDirectories(directory)
            let map = try BPFMap(
                MapDefinition(name: "open", type: .array, keySize: 4, valueSize: 4, maximumEntries: 1))
            try map.pin(at: path)
            try #require(chmod(path, mode) == 0 && chmod(directory, directoryMode) == 0)
        }

        deinit {
            try? BPFFileSystem.unpin(path)
            try? BPFFileSystem.removeDirectory(directory)
        }
    }

    @Test("what it says is what the kernel's files say, and its status is that of the worst finding")
    func machine() throws {
        let report = try PrintedDoctor("--all")

        #expect(report.format == 1 && report.profile == "router")
        #expect(try report.kernel == Subprocess.run("uname", ["-r"]).output.dropLast())
        #expect(report.status == (report.counts.error > 0 ? 3 : 0))
        let all = report.counts.error + report.counts.warning + report.counts.note + report.counts.fine
        #expect(all == report.findings.count)
        for setting in [
            "kernel/unprivileged_bpf_disabled", "net/core/bpf_jit_enable", "kernel/kptr_restrict",
        ] {
            let path = "/proc/sys/\(setting)"
            let value = String(decoding: try TemporaryFile.contents(of: path).dropLast(), as: UTF8.self)
            #expect(report.findings.contains { $0.evidence.contains("\(path): \(value)") }, "\(path)")
        }
        #expect(
            report.findings.allSatisfy {
                $0.severity == "fine" || $0.remedy != nil || $0.what == "it is unknown"
            })
    }

    @Test("to what memory is counted is found by trying, and agrees with what is known of kernels")
    func memory() throws {
        let finding = try #require(try PrintedDoctor("--all").findings.first { $0.rule == "memory-limit" })

        // This process may have raised the limit, which the command then has too.
        let countsLocked =
            finding.what.contains("locked memory")
            || finding.evidence.contains { $0.contains("no map could be made") }
        #expect(countsLocked == (KernelVersion.running < "5.11"), "\(finding)")
        #expect(finding.what != "it is unknown")
    }

    @Test(
        "for people it fits on eighty columns, worst first, with a line that counts",
        arguments: Profile.allNames)
    func text(_ profile: String) throws {
        let result = try Subprocess.xdpctl("doctor", "--profile", profile)

        let lines = result.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        // Paths and words of the kernel are not broken.
        #expect(
            lines.filter { $0.contains(" ") && $0.drop { $0 == " " }.contains(" ") }.allSatisfy {
                $0.count <= 80
            }, "\(result)")
        #expect(!result.output.contains("\u{1b}") && result.errors.isEmpty)
        #expect(result.output.contains("as a \(profile) machine: "))
        #expect(result.status == 0 || result.status == 3)
    }

    @Test("a user without rights is told what is unknown, and why")
    func nobody() throws {
        let words = ["--reuid=65534", "--regid=65534", "--clear-groups"]
        // The directory of the build may be closed to others.
        let command = try Copy(of: Subprocess.binary("xdpctl"))
        let result = try Subprocess.run("setpriv", words + [command.path, "doctor", "--json"])
        try CommandSchemas.check(["doctor", "--json"], result)
        let report = try PrintedDoctor(result)

        let unknown = report.findings.filter { $0.what == "it is unknown" }
        #expect(unknown.allSatisfy { $0.severity == "note" && !$0.evidence.isEmpty })
        #expect(
            unknown.contains { $0.subject == "loaded programs" && $0.evidence[0].contains("CAP_SYS_ADMIN") })
        #expect(
            unknown.contains {
                $0.subject == "net.core.bpf_jit_limit" && $0.evidence[0].contains("Permission denied")
            })
        #expect(unknown.contains { $0.subject == "freplace, fentry, fexit" })
        #expect(report.findings.contains { $0.rule == "capability" && $0.subject == "CAP_BPF" })
        // What everybody may read is known.
        #expect(!unknown.contains { $0.subject == "kernel.unprivileged_bpf_disabled" })
    }

    @Test("a chain in generic mode is found where the driver has native; natively it is as it should be")
    func genericMode() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass", mode: .generic)

        let router = try PrintedDoctor(bench)
        let ci = try PrintedDoctor(bench, "--profile", "ci")
        try bench.edit { editor throws(XDPError) in try editor.unload(nil) }
        try bench.loadAll("pass", mode: .native)
        let native = try PrintedDoctor(bench, "--all")

        let found = try #require(router.findings.first { $0.rule.hasPrefix("generic-") })
        #expect(found.evidence.contains { $0.contains("generic mode, a chain of pass") }, "\(found)")
        if KernelVersion.running >= "6.3" {
            #expect(found.rule == "generic-mode" && found.severity == "error" && router.status == 3)
            #expect(found.remedy?.contains("xdpctl export near") == true)
            #expect(ci.findings.first { $0.rule == "generic-mode" }?.severity == "note")
        } else {
            // Older kernels do not tell what a driver can.
            #expect(found.rule == "generic-only" && found.severity == "note")
        }
        #expect(!native.findings.contains { $0.rule == "generic-only" })
        #expect(native.findings.first { $0.rule == "generic-mode" }?.severity == "fine")
        // The settings of the network are the machine's, whatever namespace is looked at.
        let limit = try #require(native.findings.first { $0.subject == "net.core.bpf_jit_limit" })
        #expect(limit.severity == "fine")
    }

    @Test("generic mode is no error where there is no other, and what stands in the way is passed on")
    func otherInterfaces() throws {
        let bench = try ChainBench()
        let made = try Subprocess.run(
            "nsenter", ["--net=\(bench.path)", "ip", "link", "add", "bridge0", "type", "bridge"])
        try #require(made.status == 0, "\(made)")
        try bench.edit("bridge0") { editor throws(XDPError) in
            _ = try editor.load([LoadRequest(path: try Self.fixture("pass"))], mode: .generic)
        }

        let report = try PrintedDoctor(bench)

        let found = try #require(
            report.findings.first { $0.subject == "bridge0" && $0.rule == "generic-only" })
        #expect(found.severity == "note")
        if KernelVersion.running >= "6.3" {
            #expect(found.what.contains("has no native"), "\(found)")
            // Nothing runs on them, so it is good to know and no more.
            #expect(
                report.findings.first { $0.rule == "peer-napi" && $0.subject == "near" }?.severity == "note")
        }
    }

    private static func fixture(_ name: String) throws(XDPError) -> String {
        do {
            return try Fixture.path(name)
        } catch {
            throw XDPError(.failed, "\(error)", because: "")
        }
    }

    @Test("a pin that everybody can open is found, and one behind a closed directory is not")
    func openPins() throws {
        let open = try Pin(mode: 0o666, directoryMode: 0o755)
        let closed = try Pin(mode: 0o666, directoryMode: 0o700)
        let group = try Pin(mode: 0o640, directoryMode: 0o750)
        let directory = try Pin(mode: 0o600, directoryMode: 0o777)

        let findings = try PrintedDoctor().findings

        let found = try #require(findings.first { $0.subject == open.path })
        #expect(found.rule == "pin-open-to-all" && found.severity == "error")
        #expect(found.evidence == ["\(open.path): mode 0666, user 0, group 0"])
        #expect(found.remedy == "`chmod go-rwx '\(open.path)'`")
        #expect(!findings.contains { $0.subject == closed.path })
        #expect(findings.first { $0.subject == group.path }?.rule == "pin-open-to-group")
        #expect(findings.first { $0.subject == directory.directory }?.rule == "pin-open-to-all")
        #expect(!findings.contains { $0.subject == "/sys/fs/bpf" })
    }

    @Test("a program that runs where nobody can look is found; one that anybody holds is not")
    func orphan() throws {
        let bench = try ChainBench()
        let id = try Self.attachAndForget(bench)
        let holder = try Stranger(bench, ForeignVariant(byLink: false), on: bench.far, name: "held")

        let findings = try PrintedDoctor().findings

        // The namespace has neither name nor process: only this process has a descriptor of it.
        let found = try #require(findings.first { $0.subject == "program \(id) (forgotten)" })
        // In a sandbox process 1 may be out of reach even for root, and could hold it.
        var target = [CChar](repeating: 0, count: 64)
        let isAllSeen = readlink("/proc/1/ns/net", &target, target.count) > 0
        #expect(found.rule == "orphan-program", "\(found)")
        #expect(found.severity == (isAllSeen ? "warning" : "note"), "\(found)")
        #expect(!findings.contains { $0.subject.hasPrefix("program \(holder.id) ") })

        // With somebody in the namespace it is seen on its interface.
        let sleeper = try Subprocess("nsenter", ["--net=\(bench.path)", "sleep", "30"])
        defer {
            kill(sleeper.processID, SIGKILL)
            _ = try? sleeper.wait()
        }
        #expect(try eventually { try !PrintedDoctor().findings.contains { $0.subject == found.subject } })
    }

    @Test("programs in maps are held by them, and a program that is only pinned is called idle")
    func heldByMaps() throws {
        let array = try BPFMap(BPFMap.programArray("doctor", places: 2))
        let image = ProgramImage(name: "in_array", instructions: [.move(.r0, 2), .exit], license: "GPL")
        let inArray = try Self.id(of: image) { program throws(BPFError) in
            try array.setProgram(program, at: 1)
        }
        let path = "/sys/fs/bpf/xdp-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        defer { for pin in [path, path + "-too"] { try? BPFFileSystem.unpin(pin) } }
        let both = try Self.id(of: image) { program throws(BPFError) in
            try array.setProgram(program, at: 0)
            try program.pin(at: path + "-too")
        }
        let pinned = try Self.id(of: image) { program throws(BPFError) in try program.pin(at: path) }

        let findings = try PrintedDoctor().findings

        for id in [inArray, both] { #expect(!findings.contains { $0.subject.hasPrefix("program \(id) ") }) }
        let idle = try #require(findings.first { $0.subject.hasPrefix("program \(pinned) ") })
        #expect(idle.rule == "idle-program" && idle.evidence == [path])
    }

    /// Loads a program, hands it on and lets it go.
    private static func id(
        of image: ProgramImage, _ keep: (borrowing Program) throws(BPFError) -> Void
    ) throws -> UInt32 {
        let program = try Program.load(image).take()
        try keep(program)
        return try program.information().id
    }

    /// Attaches a program by netlink and lets its descriptor go.
    private static func attachAndForget(_ bench: ChainBench) throws -> UInt32 {
        let image = ProgramImage(name: "forgotten", instructions: [.move(.r0, 2), .exit], license: "GPL")
        let index = bench.index
        var route = try RouteSocket(in: bench.namespace)
        let program = try Program.load(image).take()
        try route.attachXDP(program.descriptor.rawValue, to: index, mode: .native, expecting: .nothing)
        return try program.information().id
    }

    @Test("--json and --fix-script exclude each other, and the script is printed with status 0")
    func script() throws {
        let both = try Subprocess.xdpctl("doctor", "--json", "--fix-script")
        let pin = try Pin(mode: 0o666, directoryMode: 0o755)
        let script = try Subprocess.xdpctl("doctor", "--fix-script")
        let unknown = try Subprocess.xdpctl("doctor", "--profile", "fridge")

        #expect(both.status == 2 && both.output.isEmpty && unknown.status == 2)
        #expect(script.status == 0 && script.errors.isEmpty)
        #expect(script.output.hasPrefix("#!/bin/sh\n"))
        #expect(script.output.contains("restrict go-rwx '\(pin.path)'\n"))
        // Nothing was done.
        var status = stat()
        #expect(stat(pin.path, &status) == 0 && status.st_mode & 0o777 == 0o666)
    }
}

/// A copy of a program that everybody may run.
private final class Copy: Sendable {
    let path = "/tmp/xdp-test-doctor-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"

    init(of original: String) throws {
        let result = try Subprocess.run("install", ["-m", "755", original, path])
        try #require(result.status == 0, "\(result)")
    }

    deinit { unlink(path) }
}

private enum Profile {
    static let allNames = ["workstation", "router", "ci"]
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import TestSupport
import Testing

/// The script of `doctor`, run. It changes the machine's settings, so that is done only on machines that
/// `Scripts/test-kernels` made for it, which go afterwards.
@Suite("The script of doctor, run", .serialized)
struct DoctorScriptTests {
    private func write(_ value: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        try #require(file >= 0, "\(path)")
        defer { close(file) }
        try #require(Glibc.write(file, value, value.utf8.count) == value.utf8.count, "\(path)")
    }

    private func text(_ path: String) throws -> String {
        String(decoding: try TemporaryFile.contents(of: path), as: UTF8.self)
    }

    @Test("what a script can mend is mended, a second run changes nothing, and the rest is as it was")
    func mends() throws {
        guard EmulatedCards.available != nil else {
            try Test.skip("it changes the machine; `make test-kernels` has machines for that")
        }
        let pin = "/sys/fs/bpf/xdp-test it's \(getpid())"
        let map = try BPFMap(
            MapDefinition(name: "open", type: .array, keySize: 4, valueSize: 4, maximumEntries: 1))
        try map.pin(at: pin)
        defer { try? BPFFileSystem.unpin(pin) }
        try #require(chmod(pin, 0o666) == 0)
        let settings = [
            ("kernel/unprivileged_bpf_disabled", "0", "2"),
            ("kernel/perf_event_paranoid", "-1", "2"), ("kernel/kptr_restrict", "0", "1"),
        ]
        for (name, bad, _) in settings { try write(bad, to: "/proc/sys/\(name)") }
        _ = umount2("/sys/kernel/debug/tracing", Int32(MNT_DETACH))
        try #require(umount2("/sys/kernel/tracing", Int32(MNT_DETACH)) == 0)
        let names = try text("/proc/sys/net/core/bpf_jit_kallsyms")
        let rules = [
            "unprivileged-bpf", "jit-hardening", "perf-events", "kernel-pointers", "tracefs",
            "pin-open-to-all",
        ]

        let before = try PrintedDoctor()
        let script = try Subprocess.xdpctl("doctor", "--fix-script")
        let directory = try TemporaryDirectory()
        let path = try directory.write("fix.sh", script.output)
        let first = try Subprocess.run("sh", [path])
        let file = try text("/etc/sysctl.d/90-xdpctl.conf")
        let after = try PrintedDoctor()
        let second = try Subprocess.run("sh", [path])
        let empty = try Subprocess.xdpctl("doctor", "--fix-script")

        #expect(before.status == 3)
        for rule in rules {
            #expect(before.findings.contains { $0.rule == rule && $0.severity != "note" }, "\(rule)")
            #expect(!after.findings.contains { $0.rule == rule }, "\(rule): \(after.findings)")
        }
        #expect(first.status == 0 && first.errors.isEmpty && first.output.isEmpty, "\(first)\(script)")
        #expect(second.status == 0 && second.errors.isEmpty, "\(second)")
        for (name, _, good) in settings {
            #expect(try text("/proc/sys/\(name)") == "\(good)\n", "\(name)")
            #expect(file.contains(String(name.map { $0 == "/" ? "." : $0 }) + " = \(good)\n"))
        }
        // The order may be another one after a second run; nothing is there twice.
        let lines = try text("/etc/sysctl.d/90-xdpctl.conf").split(separator: "\n")
        #expect(Set(lines) == Set(file.split(separator: "\n")) && Set(lines).count == lines.count)
        #expect(try text("/proc/sys/net/core/bpf_jit_kallsyms") == names)
        #expect(
            !empty.output.contains("\nrestrict go-rwx") && !empty.output.contains("\nset_now_and_at_start "))
    }

    @Test("a BPF file system that is not mounted is named, not mounted; the script mounts it")
    func mounts() throws {
        guard EmulatedCards.available != nil else {
            try Test.skip("it changes the machine; `make test-kernels` has machines for that")
        }
        func isMounted() throws -> Bool { try text("/proc/mounts").contains(" /sys/fs/bpf bpf ") }
        // It may be mounted on itself.
        while try isMounted() { try #require(umount2("/sys/fs/bpf", Int32(MNT_DETACH)) == 0) }

        let before = try PrintedDoctor()
        let wasMounted = try isMounted()
        let script = try Subprocess.xdpctl("doctor", "--fix-script")
        let directory = try TemporaryDirectory()
        let result = try Subprocess.run("sh", [directory.write("fix.sh", script.output)])
        let after = try PrintedDoctor()

        #expect(before.findings.first { $0.rule == "bpffs" }?.severity == "warning")
        #expect(!wasMounted)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result)")
        #expect(try isMounted() && !after.findings.contains { $0.rule == "bpffs" })
    }
}

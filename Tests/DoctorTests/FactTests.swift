// SPDX-License-Identifier: Apache-2.0
import Doctor
import Testing

/// What is read of the kernel's files, whatever stands there. Any user may run these.
@Suite("Files that doctor reads")
struct FactTests {
    private func configuration(_ text: String) -> KernelConfiguration? {
        KernelConfiguration(source: "/boot/config", text: Array(text.utf8))
    }

    @Test("options are read, set and not set")
    func options() throws {
        let found = try #require(
            configuration(
                """
                #
                # Automatically generated file; DO NOT EDIT.
                CONFIG_BPF=y
                CONFIG_TEST_BPF=m
                # CONFIG_BPF_LSM is not set
                CONFIG_LSM="landlock,bpf"
                CONFIG_HZ=250
                """))

        #expect(found["CONFIG_BPF"] == "y" && found["CONFIG_TEST_BPF"] == "m" && found["CONFIG_HZ"] == "250")
        #expect(found["CONFIG_BPF_LSM"] == nil && found["CONFIG_NOBODY"] == nil)
        #expect(found["CONFIG_LSM"] == "\"landlock,bpf\"")
    }

    @Test(
        "what is no kernel's configuration is none",
        arguments: [
            "", "\n\n", "BPF=y", "CONFIG_=", "CONFIG", "# CONFIG_BPF is set", "<html>", "CONFIG_A B=y",
        ])
    func noOptions(text: String) {
        #expect(configuration(text)?.values.keys.filter { $0 != "CONFIG_" } ?? [] == [])
    }

    @Test("odd bytes, long lines and contradictions are no traps; the last line counts")
    func oddOptions() throws {
        let long = "CONFIG_" + String(repeating: "A", count: 100_000) + "=y"
        var bytes = Array("\(long)\nCONFIG_BPF=y\n# CONFIG_BPF is not set\n".utf8)
        bytes += [0xff, 0, 0xfe, 10] + Array("CONFIG_NET=y\r\nCONFIG_BPF_JIT=n\nCONFIG_BPF_JIT=y".utf8)
        let found = try #require(KernelConfiguration(source: "", text: bytes))

        #expect(found["CONFIG_BPF"] == nil && found["CONFIG_BPF_JIT"] == "y")
        #expect(found.values.keys.allSatisfy { $0.utf8.count < 128 })
    }

    @Test("the lockdown level is the word in brackets")
    func lockdown() {
        #expect(Lockdown(text: "[none] integrity confidentiality\n") == Lockdown.none)
        #expect(Lockdown(text: "none [integrity] confidentiality") == .integrity)
        #expect(Lockdown(text: "none integrity [confidentiality]") == .confidentiality)
        for text in ["", "none", "[", "]", "][", "[]", "[perhaps]", "none]"] {
            #expect(Lockdown(text: text) == nil, "\(text)")
        }
    }

    @Test("security modules are names and commas")
    func modules() {
        #expect(
            SecurityModules(text: "lockdown,capability,yama,bpf\n")?.names
                == ["lockdown", "capability", "yama", "bpf"])
        #expect(SecurityModules(text: "capability")?.names == ["capability"])
        for text in ["", "\n", ",,", "a b\u{1b}[1m", String(repeating: "x", count: 1000)] {
            #expect(SecurityModules(text: text) == nil, "\(text)")
        }
    }

    @Test(
        "what the kernel says of a processor begins with its verdict",
        arguments: [
            ("Not affected\n", Vulnerability.State.notAffected),
            ("Mitigation: Retpolines; BHI: Vulnerable", .mitigated),
            ("Vulnerable: Safe RET, no microcode", .vulnerable), ("Vulnerable", .vulnerable),
            ("Unknown: Dependent on hypervisor status", .unclear), ("", .unclear), ("\u{0}", .unclear),
        ])
    func vulnerabilities(text: String, state: Vulnerability.State) {
        #expect(Vulnerability(name: "spectre_v2", text: text).state == state)
    }

    @Test("a setting is a number, and nothing else is one")
    func settings() {
        #expect(Setting.value(of: "2\n") == 2 && Setting.value(of: "-1") == -1)
        for text in ["", " ", "x", "1 2", "0x1", "99999999999999999999", "1\n2"] {
            #expect(Setting.value(of: text) == nil, "\(text)")
        }
        #expect(Setting.jitLimit.path == "/proc/sys/net/core/bpf_jit_limit")
    }

    @Test("a version is the first line that is not empty, without what a terminal obeys")
    func versions() {
        #expect(
            ToolVersion.line(of: Array("\n\n ip utility, iproute2-6.1.0\nmore\n".utf8))
                == "ip utility, iproute2-6.1.0")
        #expect(ToolVersion.line(of: Array("\u{1b}[1mred\u{1b}[0m\n".utf8)) == "?[1mred?[0m")
        #expect(
            ToolVersion.line(of: Array("bpftool v7.1.0\nusing libbpf v1.1\n".utf8), naming: "libbpf")
                == "bpftool v7.1.0, using libbpf v1.1")
        #expect(ToolVersion.line(of: []) == nil && ToolVersion.line(of: Array(" \n \n".utf8)) == nil)
        #expect(ToolVersion.line(of: [UInt8](repeating: 120, count: 100_000))?.count == 120)
        #expect(ToolVersion.line(of: [0xff, 0xfe, 65]) != nil)
    }

    @Test("clang's targets are told by their names, not by their words")
    func targets() {
        let text = "  Registered Targets:\n    aarch64 - AArch64\n    bpf     - BPF (host endian)\n"
        #expect(ToolVersion.hasBPF(Array(text.utf8)))
        #expect(!ToolVersion.hasBPF(Array("    bpfel - BPF\n    x86 - not bpf\n".utf8)))
        #expect(!ToolVersion.hasBPF([]))
    }

    /// Who may use a pin.
    struct Access: Sendable {
        let mode: UInt32
        var isDirectory = false
        var reach: Set<PinFact.Audience> = [.group, .everybody]
        let openTo: PinFact.Audience?
    }

    @Test(
        "a pin is open to who may read or write it and gets there",
        arguments: [
            Access(mode: 0o600, openTo: nil), Access(mode: 0o400, openTo: nil),
            Access(mode: 0o644, openTo: .everybody), Access(mode: 0o602, openTo: .everybody),
            Access(mode: 0o640, openTo: .group), Access(mode: 0o620, openTo: .group),
            Access(mode: 0o666, reach: [], openTo: nil), Access(mode: 0o666, reach: [.group], openTo: .group),
            Access(mode: 0o711, openTo: nil), Access(mode: 0o604, reach: [.group], openTo: nil),
            Access(mode: 0o755, isDirectory: true, openTo: nil),
            Access(mode: 0o777, isDirectory: true, openTo: .everybody),
            Access(mode: 0o1777, isDirectory: true, openTo: nil),
            Access(mode: 0o770, isDirectory: true, openTo: .group),
            Access(mode: 0o777, isDirectory: true, reach: [], openTo: nil),
        ])
    func pins(_ access: Access) {
        let pin = PinFact(
            path: "/sys/fs/bpf/x", mode: access.mode, isDirectory: access.isDirectory,
            reachableBy: access.reach)

        #expect(pin.openTo == access.openTo)
    }
}

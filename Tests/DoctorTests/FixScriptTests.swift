// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing
import XDP

@testable import Doctor

/// The script that makes findings go. Any user may run these; KernelTests run such a script.
@Suite("The script of doctor")
struct FixScriptTests {
    /// Has the shell read a script, without running it.
    private func check(_ script: String) throws -> (status: Int32, errors: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-n"]
        let input = Pipe()
        let errors = Pipe()
        process.standardInput = input
        process.standardError = errors
        try process.run()
        input.fileHandleForWriting.write(Data(script.utf8))
        try input.fileHandleForWriting.close()
        process.waitUntilExit()
        let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        return (process.terminationStatus, text)
    }

    private func script(_ machine: MachineFacts, _ profile: Profile = .router) -> String {
        FixScript(Examination(of: machine, for: profile)).text
    }

    /// The lines that do something.
    private func steps(_ script: String) -> [String] {
        let lines = script.split(separator: "\n").map(String.init)
        let start = lines.lastIndex(of: "}").map { $0 + 1 } ?? 0
        return lines[start...].filter { !$0.hasPrefix("#") && $0 != "exit \"$status\"" }
    }

    @Test("the script of every state is one that sh understands", arguments: RuleTests.cases.indices)
    func syntax(_ place: Int) throws {
        for profile in Profile.allCases {
            let (status, errors) = try check(script(RuleTests.cases[place].machine, profile))
            #expect(status == 0 && errors.isEmpty, "\(errors)")
        }
    }

    @Test("a machine that is as it should be gets a script that does nothing")
    func nothing() throws {
        #expect(steps(script(.healthy)).isEmpty)
        #expect(script(.healthy).contains("# There is nothing to do."))
        #expect(steps(script(.dark)).isEmpty)
    }

    @Test("each repair is one step with the finding above it; by hand means a comment")
    func repairs() throws {
        let machine = MachineFacts.healthy.with(.unprivilegedBPF, 0)
            .with("spectre_v2", "Vulnerable: eIBRS with unprivileged eBPF")
            .with { $0.mounts = .known([]) }
            .with(PinFact(path: "/sys/fs/bpf/map", mode: 0o666))
            .with {
                $0.stalePins = [StalePin(path: "/sys/fs/bpf/xdpctl/link-4", reason: .linkWithoutInterface)]
            }
            .without("CONFIG_BPF_JIT_ALWAYS_ON")
        let text = script(machine)

        #expect(
            Set(steps(text)) == [
                "set_now_and_at_start kernel.unprivileged_bpf_disabled 2",
                "mount_once tracefs /sys/kernel/tracing",
                "restrict go-rwx '/sys/fs/bpf/map'",
                "rm -f '/sys/fs/bpf/xdpctl/link-4' || not_done 'a pin'",
            ])
        #expect(steps(text).count == 4)
        #expect(text.contains("# By hand: Take a kernel that was built with CONFIG_BPF_JIT_ALWAYS_ON=y"))
        #expect(text.contains("# error, unprivileged-bpf: kernel.unprivileged_bpf_disabled: "))
        #expect(text.hasPrefix("#!/bin/sh\n") && text.contains("\nset -eu\n"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test("notes are left alone, so what a profile does not mind is not changed")
    func notes() {
        let machine = MachineFacts.healthy.with(.unprivilegedBPF, 0).with(.jitHarden, 1)

        #expect(
            steps(script(machine, .router)) == ["set_now_and_at_start kernel.unprivileged_bpf_disabled 2"])
        #expect(steps(script(machine, .ci)).isEmpty)
        #expect(script(machine, .ci).contains("# If it matters: `sysctl -w"))
    }

    @Test(
        "a path is one word for the shell and ends no comment, whatever it is called",
        arguments: [
            "/sys/fs/bpf/plain", "/sys/fs/bpf/a b", "/sys/fs/bpf/it's", "/sys/fs/bpf/$(touch x)`y`",
            "/sys/fs/bpf/new\nline; rm -rf nothing", "/sys/fs/bpf/'; reboot; '", "/sys/fs/bpf/\u{2028}ü\\",
            "/sys/fs/bpf/\r\nexit 1",
        ])
    func hostile(path: String) throws {
        let text = script(.healthy.with(PinFact(path: path, mode: 0o666)))
        let (status, errors) = try check(text)
        #expect(status == 0, "\(errors)")
        // What stands between the functions and the end is comments and the one step, over its lines.
        let parts = text.components(separatedBy: "restrict go-rwx \(FixScript.quoted(path))\n")
        #expect(parts.count == 2)
        #expect(steps(parts.joined(separator: "# here\n")).isEmpty, "\(text)")

        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", "printf %s \(FixScript.quoted(path))"]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(String(decoding: said, as: UTF8.self) == path)
    }
}

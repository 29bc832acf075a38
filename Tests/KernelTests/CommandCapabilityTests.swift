// SPDX-License-Identifier: Apache-2.0
import TestSupport
import Testing
import XDP

/// The command without this or that capability. Needs root and setpriv(1).
@Suite("The command without capabilities")
struct CommandCapabilityTests {
    /// Runs the command as root with some capabilities less.
    private static func xdpctl(
        _ bench: ChainBench, without capabilities: [String], _ words: [String]
    ) throws -> Subprocess.Result {
        let dropped = capabilities.map { "-\($0)" }.joined(separator: ",")
        // The namespace is entered before, with all rights: that is not what this is about.
        return try Subprocess.run(
            "nsenter",
            [
                "--net=\(bench.path)", "setpriv", "--bounding-set", dropped, "--inh-caps", dropped,
                Subprocess.binary("xdpctl"),
            ] + words)
    }

    /// What is missing, and what the error says of it.
    struct Lack: Sendable, CustomTestStringConvertible {
        let dropped: [String]
        let named: String
        let purpose: String

        var testDescription: String { dropped.joined(separator: "+") }
    }

    @Test(
        "a chain that cannot be read for want of CAP_SYS_ADMIN is not touched",
        arguments: [["sys_admin"], ["bpf", "sys_admin"]])
    func load(_ dropped: [String]) throws {
        let bench = try ChainBench()
        try bench.load("pass")
        let program = try bench.chain().programID

        let result = try Self.xdpctl(
            bench, without: dropped, ["load", "near", Fixture.path("counters"), "--json"])

        #expect(result.status == 1, "\(result)")
        #expect(result.output.contains("CAP_SYS_ADMIN (to open programs, maps and links by id"), "\(result)")
        #expect(try bench.chain().programID == program)
    }

    @Test(
        "a first load names the capability that it lacks",
        arguments: [
            Lack(
                dropped: ["bpf", "sys_admin"], named: "CAP_BPF", purpose: "to create maps and load programs"),
            Lack(
                dropped: ["net_admin", "sys_admin"], named: "CAP_NET_ADMIN",
                purpose: "to load XDP programs and attach them to an interface"),
            Lack(
                dropped: ["perfmon", "sys_admin"], named: "CAP_PERFMON",
                purpose: "for programs that do arithmetic on pointers, and to watch tracepoints"),
        ])
    func firstLoad(_ lack: Lack) throws {
        let bench = try ChainBench()

        let result = try Self.xdpctl(
            bench, without: lack.dropped, ["load", "near", Fixture.path("counters"), "--json"])

        #expect(result.status == 1, "\(result)")
        #expect(result.output.contains(lack.named), "\(result)")
        #expect(result.output.contains(lack.purpose), "\(result)")
        #expect(try bench.memberNames().isEmpty)
    }

    @Test("CAP_SYS_ADMIN stands for the others, as it does for the kernel")
    func standsIn() throws {
        let bench = try ChainBench()

        let result = try Self.xdpctl(
            bench, without: ["bpf", "net_admin", "perfmon"], ["load", "near", Fixture.path("counters")])

        #expect(result.status == 0, "\(result)")
        #expect(try bench.memberNames() == ["counters"])
    }

    @Test("a first load needs no CAP_SYS_ADMIN, and without bytes to count no CAP_PERFMON")
    func least() throws {
        let bench = try ChainBench()

        let result = try Self.xdpctl(
            bench, without: ["perfmon", "sys_admin"],
            ["load", "near", Fixture.path("pass"), "--counters", "packets"])

        #expect(result.status == 0, "\(result)")
        #expect(try bench.memberNames() == ["pass"])
    }

    @Test("status of an idle interface needs nothing, and of a busy one names CAP_SYS_ADMIN")
    func status() throws {
        let bench = try ChainBench()
        let all = ["bpf", "sys_admin", "net_admin", "perfmon"]

        let idle = try Self.xdpctl(bench, without: all, ["status", "near"])
        try bench.load("pass")
        let busy = try Self.xdpctl(bench, without: all, ["status", "near", "--json"])

        #expect(idle.status == 0, "\(idle)")
        #expect(busy.status == 1 && busy.output.contains("CAP_SYS_ADMIN"), "\(busy)")
    }

    @Test("without capabilities the kernel's answers are unknown, never no")
    func features() throws {
        let bench = try ChainBench()
        let result = try Self.xdpctl(
            bench, without: ["bpf", "net_admin", "perfmon", "sys_admin"], ["features", "--kernel", "--json"])

        #expect(result.status == 0, "\(result)")
        guard case .array(let helpers)? = try JSONValue(parsing: result.output)["helpers"] else {
            Issue.record("\(result)")
            return
        }
        #expect(helpers.allSatisfy { $0["support"] == .string("unknown") })
        #expect(result.output.contains("CAP_BPF"))
    }

    @Test("an object that cannot be inspected names the capability")
    func inspect() throws {
        let bench = try ChainBench()
        let result = try Self.xdpctl(
            bench, without: ["bpf", "sys_admin"], ["inspect", Fixture.path("counters")])

        #expect(result.status == 1 && result.errors.contains("CAP_BPF"), "\(result)")
    }

    @Test("callees that the kernel hides are unknown, with the reason, and every verdict is assumed")
    func hiddenCallees() throws {
        let bench = try ChainBench()
        let object = try #require(LoadedObject(try Fixture.path("devmap")))
        let id = try object.program("redirect_devmap").information().id
        let result = try Self.xdpctl(
            bench, without: ["syslog"], ["inspect", "--id", "\(id)", "--json"])

        #expect(result.status == 0, "\(result)")
        #expect(result.output.contains("the kernel hides its addresses"), "\(result)")
        #expect(result.output.contains("\"verdict\" : \"redirect\""), "\(result)")
    }
}

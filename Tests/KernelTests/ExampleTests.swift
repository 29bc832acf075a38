// SPDX-License-Identifier: Apache-2.0
import Glibc
import TestSupport
import Testing

/// The example and the lab, run as a newcomer runs them. Needs root.
@Suite("The example and the lab", .serialized)
struct ExampleTests {
    @Test("the library's example chains two demo programs and shows their counters")
    func example() throws {
        let bench = try ChainBench()
        let example = try Subprocess.binary("chain-example")
        let objects = [try Fixture.example("ddos"), try Fixture.example("ids")]

        // The example works in the namespace that it is started in.
        let result = try Subprocess.run(
            "nsenter", ["--net=\(bench.path)", example, "near"] + objects)

        #expect(result.status == 0, "\(result)")
        #expect(
            result.output == """
                near, native mode, change 1
                ddos: 0 packets, 0 dropped
                ids: 0 packets, 0 dropped

                """)
    }

    @Test("the lab comes up, takes packets through a chain, and goes without a trace")
    func lab() throws {
        let name = "xdpt\(getpid())"
        defer { _ = try? Subprocess.xdpctl("lab", "down", "--name", name) }

        let up = try Subprocess.xdpctl("lab", "up", "--name", name)
        let again = try Subprocess.xdpctl("lab", "up", "--name", name)
        let load = try Subprocess.xdpctl(
            "load", "--netns", name, "eth0", try Fixture.example("ddos"), try Fixture.example("lb"),
            "--set", "reflect=1")
        #expect(up.status == 0 && again.status == 3, "\(up) \(again)")
        // Of two objects only one has the variable.
        #expect(load.status == 1, "\(load)")

        for arguments in [["ddos"], ["lb", "--set", "reflect=1"]] {
            let loaded = try Subprocess.run(
                Subprocess.binary("xdpctl"),
                ["load", "--netns", name, "eth0", Fixture.example(arguments[0])] + arguments.dropFirst())
            #expect(loaded.status == 0, "\(loaded)")
        }
        let dropped = try Subprocess.xdpctl(
            "lab", "send", "udp", "--name", name, "--to-port", "1900", "--count", "7")
        let reflected = try Subprocess.xdpctl(
            "lab", "send", "tcp", "--name", name, "--to-port", "8080", "--count", "5")
        let inside = try Subprocess.xdpctl("lab", "exec", "--name", name, "--", "ip", "-brief", "link")
        let status = try Subprocess.xdpctl("lab", "status", "--name", name)
        #expect(dropped.output == "7 sent, 0 came back\n", "\(dropped)")
        #expect(reflected.output == "5 sent, 5 came back\n", "\(reflected)")
        #expect(inside.output.contains("eth0"), "\(inside)")
        #expect(status.output.contains("ddos    drop           7    518  end"), "\(status)")
        #expect(status.output.contains("tx             5    430  end"), "\(status)")

        let down = try Subprocess.xdpctl("lab", "down", "--name", name)
        let gone = try Subprocess.xdpctl("lab", "status", "--name", name)
        #expect(down.status == 0, "\(down)")
        #expect(gone.output.contains("is not up"), "\(gone)")
        #expect(access("/run/netns/\(name)", F_OK) != 0)
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import TestSupport
import Testing

@testable import XDP

/// What `inspect` prints. Needs root, and the packages xdp-tools and libxdp1.
@Suite("Inspection of programs")
struct InspectionTests {
    private static let folder =
        "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Golden"
    private static let packages = PackagedObjects.folder

    @Test("what is printed of fixtures and packaged programs is that of the file")
    func golden() throws {
        let bench = try ChainBench()
        var text = ""
        for fixture in [
            "devmap", "tail_static", "counters", "push_vlan", "run_config", "no_entries", "redirect",
        ] {
            text += try Self.inspect(bench, try Fixture.path(fixture))
        }
        for name in ["xdpfilt_alw_all.o", "xsk_def_xdp_prog.o"] {
            text += try Self.inspect(bench, "\(Self.packages)/\(name)")
        }
        let expected = try String(contentsOfFile: Self.folder + "/inspect.txt", encoding: .utf8)
        #expect(text == expected, "\(text)")
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    private static func inspect(_ bench: ChainBench, _ path: String) throws -> String {
        let result = try bench.xdpctl("inspect", path)
        let json = try bench.xdpctl("inspect", path, "--json")
        #expect(result.status == 0 && json.status == 0, "\(result)\(json)")
        return result.output + "\n"
    }

    @Test("every fixture that opens is inspected, and the answer is as the schema says")
    func all() throws {
        let bench = try ChainBench()
        var count = 0
        for fixture in try Fixtures.all().subtracting(["functions", "branches"]).sorted() {
            let result = try bench.xdpctl("inspect", try Fixture.path(fixture), "--json")
            #expect([0, 1].contains(result.status), "\(fixture): \(result)")
            if result.status == 0 { count += 1 }
        }
        #expect(count > 60)
    }

    @Test("a loaded program and its object are told alike")
    func loaded() throws {
        let object = try #require(LoadedObject(try Fixture.path("tail_static")))
        let caller = try ProgramInspector.inspect(
            programID: try object.program("caller").information().id)
        let own = try ProgramInspector.inspect(object: try Fixture.path("tail_static"), program: "caller")

        #expect(own.count == 1)
        #expect(caller.analysis.verdictSet == own[0].analysis.verdictSet)
        #expect(caller.analysis.tailCalls.map(\.entries) == own[0].analysis.tailCalls.map(\.entries))
        // What the array holds now.
        #expect(caller.tailCallees.map(\.name) == ["callee"])
        #expect(
            caller.tailCallees.map(\.programID) == [try object.program("callee").information().id])
        #expect(caller.tailCallees.map(\.verdicts) == [[.pass]])
        #expect(own[0].tailCallees.isEmpty)

        let text = try ChainBench().xdpctl(
            "inspect", "--id", "\(try object.program("caller").information().id)")
        #expect(text.status == 0 && text.output.contains("can return pass"), "\(text)")
        for line in text.output.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test("needs of the kernel carry the release, and what this kernel says")
    func needs() throws {
        try KernelNeed.check("loop")
        let found = try ProgramInspector.inspect(object: try Fixture.path("loop"))[0]
        let loop = try #require(found.kernelNeeds.first { $0.name == "bpf_loop" })

        #expect(loop.since == "5.17")
        #expect(loop.support() == .supported)
        #expect(found.kernelNeeds.contains { $0.subject == .feature(.callbacks) })
    }

    @Test("needs of interfaces follow from what is done to packets")
    func interfaceNeeds() throws {
        func kinds(_ fixture: String) throws -> Set<InterfaceNeed.Kind> {
            Set(try ProgramInspector.inspect(object: Fixture.path(fixture))[0].interfaceNeeds.map(\.kind))
        }
        #expect(try kinds("pass") == [.singleBuffer])
        #expect(try kinds("tx") == [.singleBuffer, .transmit])
        #expect(try kinds("redirect") == [.singleBuffer, .redirect, .transmitAtTarget])
        #expect(try kinds("devmap") == [.singleBuffer, .redirect, .transmitAtTarget])
        #expect(try kinds("xskmap") == [.singleBuffer, .redirect, .socket])
        #expect(try kinds("cpumap") == [.singleBuffer, .redirect])
        #expect(try kinds("meta_write") == [.singleBuffer, .metadata])
        if try KernelNeed.missing(for: "frags") == nil { #expect(try kinds("frags").isEmpty) }
    }

    @Test("what cannot be inspected is refused with the reason")
    func errors() throws {
        let bench = try ChainBench()
        let none = try bench.failingXDPControl(["inspect", "/tmp/xdp-test-none.o"])
        #expect(none.text.status == 1 && none.failure.why.contains("No such file"))
        let other = try bench.failingXDPControl(
            ["inspect", try Fixture.path("several"), "--program", "nobody"])
        #expect(other.text.status == 1 && other.failure.remedy?.contains("several_first") == true)
        let gone = try bench.failingXDPControl(["inspect", "--id", "4294967280"])
        #expect(gone.text.status == 1 && gone.failure.why.contains("ENOENT"))
        #expect(try bench.xdpctl("inspect").status == 2)
        #expect(try bench.xdpctl("inspect", "--id", "1", "--program", "x").status == 2)
    }

    @Test("several objects and their programs come one after the other")
    func several() throws {
        let bench = try ChainBench()
        let result = try bench.xdpctl(
            "inspect", try Fixture.path("several"), try Fixture.path("pass"), "--json")
        guard case .array(let programs)? = try JSONValue(parsing: result.output)["programs"] else {
            Issue.record("\(result)")
            return
        }
        #expect(
            programs.map { $0["name"] }
                == ["several_first", "several_second", "several_third", "pass"].map { .string($0) })
    }
}

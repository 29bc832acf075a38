// SPDX-License-Identifier: Apache-2.0
import Configuration
import Netlink
import Packets
import TestSupport
import Testing
import XDP

/// Files that are applied: what changes, what stays, and that it is one swap. Needs root.
@Suite("Files that describe chains, applied")
struct ApplyTests {
    private static let passing = ChainBench.packet(for: .pass)

    private static func object(_ fixture: String) throws -> String { "object: \(try Fixture.path(fixture))" }

    @Test("a file is applied in one swap, and a second time changes nothing")
    func idempotent() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let file = try directory.describe(
            "\(Self.object("counters")), on: { drop: pass }", Self.object("pass"),
            settings: ["counters: packets", "fallback: drop"])

        let first = try bench.apply(file)
        let active = try bench.chain()
        let text = try bench.xdpctl("apply", file)
        let second = try bench.apply(file)

        #expect(first.map(\.outcome) == ["attached"])
        #expect(first[0].steps.map(\.text) == ["attach", "add counters", "add pass"])
        #expect(active.manifest.chain.members.map(\.name) == ["counters", "pass"])
        #expect(active.manifest.chain.counters == .packets)
        #expect(active.manifest.chain.fallback == .drop)
        #expect(try active.member("counters").edges == [.drop: .member("pass")])
        #expect(text.status == 0)
        #expect(text.output.contains("near  nothing to change (\(file))\nnothing to change\n"), "\(text)")
        #expect(second.map(\.outcome) == ["unchanged"])
        #expect(second[0].swaps == 0)
        #expect(try bench.chain().programID == active.programID)
    }

    @Test("a plan without its execution changes nothing, and says so")
    func dryRun() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let file = try directory.describe(Self.object("pass"))

        let planned = try bench.apply(file, "--dry-run")
        let text = try bench.xdpctl("apply", file, "--dry-run")

        #expect(planned.map(\.outcome) == ["planned"])
        #expect(planned[0].swaps == 1)
        #expect(text.status == 0)
        #expect(text.output.contains("near  1 swap"), "\(text)")
        #expect(text.output.contains("nothing was changed (--dry-run)"), "\(text)")
        #expect(try bench.memberNames() == [])
    }

    @Test("order, edges, counters, new and old members change in one swap, and the others keep their maps")
    func differences() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let file = try directory.describe(
            Self.object("counters"), Self.object("pass"), Self.object("choose"))
        _ = try bench.apply(file)
        try bench.send([Self.passing, Self.passing])
        _ = try bench.counters(seeing: 2)
        let before = try bench.chain()
        try directory.describe(
            Self.object("choose"), "\(Self.object("counters")), on: { tx: drop }", Self.object("drop"),
            settings: ["counters: packets", "fallback: pass"])

        let changed = try bench.apply(file)
        let after = try bench.chain()

        #expect(
            changed.first?.steps.map(\.text) == [
                "remove pass", "keep choose", "keep counters", "edge counters", "add drop", "order",
                "counters", "fallback",
            ])
        #expect(changed.first?.outcome == "changed")
        #expect(after.manifest.generation == before.manifest.generation + 1)
        #expect(after.manifest.chain.members.map(\.name) == ["choose", "counters", "drop"])
        #expect(after.manifest.chain.counters == .packets)
        #expect(after.manifest.chain.fallback == .pass)
        #expect(try after.member("counters").mapIDs == before.member("counters").mapIDs)
        #expect(try after.member("counters").edges == [.tx: .member("drop")])
        #expect(try after.counters()?[1].total.packets == 2)
        #expect(try bench.apply(file).map(\.outcome) == ["unchanged"])
    }

    @Test(
        "an object that changed on disk replaces the member, which keeps the maps that fit and its counters")
    func changedObject() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        try directory.copy(Fixture.path("replace_v1"), as: "it.o")
        let file = try directory.describe("object: it.o", "name: other, \(Self.object("pass"))")
        _ = try bench.apply(file)
        try bench.send([Self.passing, Self.passing])
        _ = try bench.counters(seeing: 2)
        let before = try bench.chain()

        try directory.copy(Fixture.path("replace_v2"), as: "it.o")
        let changed = try bench.apply(file)
        let after = try bench.chain()

        #expect(changed.first?.steps.map(\.text) == ["replace it", "keep other"])
        #expect(changed.first?.steps.first?.detail == "the object changed since it was loaded")
        #expect(changed.first?.notes?.contains("it: kept: kept") == true, "\(changed)")
        #expect(after.manifest.generation == before.manifest.generation + 1)
        #expect(try after.map("kept", of: "it").id == before.map("kept", of: "it").id)
        #expect(try after.map("kept", of: "it").number() == 2)
        #expect(try after.counters()?[0].total.packets == 2)
        #expect(try bench.apply(file).map(\.outcome) == ["unchanged"])
    }

    @Test("the same object elsewhere is the same member")
    func moved() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        try directory.copy(Fixture.path("counters"), as: "a.o")
        try directory.copy(Fixture.path("counters"), as: "b.o")
        let file = try directory.describe("name: it, object: a.o")
        _ = try bench.apply(file)
        let before = try bench.chain()

        try directory.describe("name: it, object: b.o")
        let changed = try bench.apply(file)
        let after = try bench.chain()

        #expect(changed.first?.steps.map(\.text) == ["keep it", "path it"])
        #expect(try after.member("it").mapIDs == before.member("it").mapIDs)
        #expect(try after.member("it").origin == "\(directory.path)/b.o")
        #expect(try bench.apply(file).map(\.outcome) == ["unchanged"])
    }

    @Test("other settings replace the member, and variables get the new values also where maps are kept")
    func settings() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let object = try Self.object("variables")
        let file = try directory.describe("\(object), variables: { changing: 7, signed8: -2 }")
        _ = try bench.apply(file)
        let first = try bench.chain().map(".data", of: "variables").number()

        try directory.describe("\(object), variables: { changing: 9, signed8: -2 }")
        let changed = try bench.apply(file)
        let second = try bench.chain().map(".data", of: "variables").number()

        #expect(first.map { UInt32(truncatingIfNeeded: $0) } == 7)
        #expect(changed.first?.steps.map(\.text) == ["replace variables"])
        #expect(changed.first?.steps.first?.detail == "other variables")
        #expect(second.map { UInt32(truncatingIfNeeded: $0) } == 9)
        #expect(try bench.apply(file).map(\.outcome) == ["unchanged"])
    }

    @Test("the metadata of an object sets the edges that the file does not, also of a member that is there")
    func metadata() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let object = try Self.object("run_config")
        let file = try directory.describe("\(object), on: { drop: end }", Self.object("pass"))
        _ = try bench.apply(file)
        let said = try bench.chain().member("run_config").edge(after: .drop)

        try directory.describe(object, Self.object("pass"))
        let changed = try bench.apply(file)

        #expect(said == .end)
        #expect(changed.first?.steps.map(\.text).contains("edge run_config") == true)
        #expect(try bench.chain().member("run_config").edge(after: .drop) == .next)
        #expect(try bench.apply(file).map(\.outcome) == ["unchanged"])
    }

    @Test("an interface without members has no chain afterwards")
    func empty() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        try bench.loadAll("pass", "counters")
        let file = try directory.describe(DescribedInterface(members: []))

        let changed = try bench.apply(file)
        let again = try bench.apply(file)

        #expect(changed.first?.steps.map(\.text) == ["remove pass", "remove counters", "detach"])
        #expect(changed.first?.outcome == "detached")
        #expect(again.first?.outcome == "unchanged")
        #expect(try bench.memberNames() == [])
    }

    @Test("one interface that fails leaves the others done and itself as it was")
    func failing() throws {
        let bench = try ChainBench(withTAP: true)
        let directory = try TemporaryDirectory()
        let good = try Self.object("pass")
        let file = try directory.describe(
            DescribedInterface(name: "near", members: [good]),
            DescribedInterface(name: "far", members: [try Self.object("rejected_loop")]),
            DescribedInterface(name: "tap", members: [good]))

        let applied = try bench.apply(file, expecting: 1)
        let text = try bench.xdpctl("apply", file)

        #expect(applied.map(\.outcome) == ["attached", "failed", "attached"])
        #expect(applied[1].error?.why.contains("infinite loop") == true, "\(applied)")
        #expect(try bench.memberNames() == ["pass"])
        guard case .none = try bench.occupant("far") else {
            Issue.record("far is not as it was")
            return
        }
        #expect(try bench.chain("tap").manifest.chain.members.map(\.name) == ["pass"])
        #expect(text.status == 1)
        #expect(text.errors.contains("infinite loop"), "\(text)")
    }

    @Test("what somebody else adds between plan and swap is taken out, and a note says so")
    func concurrent() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        try bench.loadAll("pass")
        let file = try directory.describe(Self.object("pass"), Self.object("counters"))

        let plan = try bench.namespace.run {
            var planner = Planner()
            return try planner.plan(ConfigurationFiles([file]))
        }
        try bench.load("drop", at: .last)
        let report = try bench.namespace.run { try plan[0].carryOut() }

        let origin = try Fixture.path("counters")
        #expect(plan[0].plan.steps == [.keep(member: "pass"), .add(member: "counters", origin: origin)])
        #expect(try bench.memberNames() == ["pass", "counters"])
        #expect(
            report?.notes.contains {
                $0.hasPrefix("drop, which somebody else added meanwhile, was taken out")
            }
                == true, "\(String(describing: report))")
    }

    @Test("a swap that is overtaken is worked out again, and builds nothing twice")
    func overtaken() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")
        var specification = ChainSpecification()
        for name in ["pass", "counters"] {
            specification.members.append(
                .init(name: name, source: .object(LoadRequest(path: try Fixture.path(name)))))
        }
        let target = try ChainTarget(resolving: specification)

        let binary = try Subprocess.binary("xdpctl")
        let drop = try Fixture.path("drop")
        var retries = 0
        for round in 0..<10 {
            let other = try Subprocess(
                binary, ["load", "near", drop, "--name", "other\(round)", "--netns", bench.path])
            for _ in 0..<5 {
                retries += try bench.edit { editor throws(XDPError) in
                    try editor.apply(target)?.retries ?? 0
                }
            }
            #expect(try other.wait().status == 0)
        }
        let report = try bench.edit { editor throws(XDPError) in try editor.apply(target) }

        #expect(report?.notes.isEmpty == true, "\(String(describing: report)), \(retries) retries")
        #expect(try bench.memberNames() == ["pass", "counters"])
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import TestSupport
import Testing
import XDP

/// Files that cannot be applied: everything is said at once, with its place, and nothing is changed. Needs root.
@Suite("Files that cannot be applied, and options that choose")
struct ApplyCheckTests {
    private static func object(_ fixture: String) throws -> String { "object: \(try Fixture.path(fixture))" }

    /// Runs `apply` and makes sure that nothing came of it.
    private func refused(
        _ bench: ChainBench, _ words: String..., status: Int32
    ) throws -> PrintedFailure.Content {
        let before = try bench.memberNames()
        let (text, json, failure) = try bench.failingXDPControl(["apply"] + words)
        #expect(text.status == status, "\(text)")
        #expect(json.status == status)
        #expect(try bench.memberNames() == before)
        for finding in failure.findings ?? [] {
            let place = [finding.line, finding.column].compactMap { $0 }.map { ":\($0)" }.joined()
            #expect(text.errors.contains("\(finding.file)\(place):"), "\(text)")
        }
        return failure
    }

    private func places(_ failure: PrintedFailure.Content) -> [String] {
        (failure.findings ?? []).map { "\($0.line ?? 0):\($0.column ?? 0)" }
    }

    @Test("everything that is wrong with files is said at once, with line and column")
    func allAtOnce() throws {
        let bench = try ChainBench()
        try bench.loadAll("pass")
        let directory = try TemporaryDirectory()
        let good = try Fixture.path("pass")
        try directory.write(
            "a.yaml",
            """
            version: 1
            interfaces:
              near:
                mode: nativ
                members:
                  - object: \(good)
                    on: { drop: pas }
                  - object: nowhere.o
                    colour: red
              nosuch:
                members: [{object: \(good)}]
            """)
        try directory.write("b.yml", "version: 1\ninterfaces: {near: {members: []}}\n")
        try directory.write("c.yaml", "version: 1\ninterfaces: [\n")
        try directory.write("ignored.txt", "{{{")
        try directory.write(".hidden.yaml", "{{{")

        let failure = try refused(bench, directory.path, status: 2)

        #expect(failure.kind == "invalid")
        #expect(places(failure) == ["4:11", "7:21", "8:17", "9:9", "10:3", "2:14", "3:1"], "\(failure)")
        let texts = (failure.findings ?? []).map { "\($0.what); \($0.remedy ?? "")" }
        for (text, words) in zip(
            texts,
            [
                "did you mean native?", "did you mean pass?", "No such file or directory",
                "unknown key \"colour\"", "there is no interface nosuch",
                "near is described twice, first at \(directory.path)/a.yaml:3:3", "this is no YAML",
            ])
        {
            #expect(text.contains(words), "\(text)")
        }
        #expect(failure.why == "7 things are wrong")
    }

    @Test("a circle is found where it is closed")
    func circle() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let file = try directory.describe(
            "name: a, \(Self.object("pass"))", "name: b, \(Self.object("pass")), on: { drop: a }")

        let failure = try refused(bench, file, status: 2)

        #expect(places(failure).first?.hasPrefix("6:") == true, "\(failure)")
        #expect(failure.findings?.first?.what.contains("a → b → a") == true, "\(failure)")
    }

    @Test("an object that is not the one with the digest is refused")
    func digest() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        try directory.copy(Fixture.path("pass"), as: "it.o")
        let digest = SHA256.hexadecimal(
            SHA256.digest(of: try TemporaryFile.contents(of: Fixture.path("pass"))))
        let file = try directory.describe("object: it.o, sha256: \"\(digest)\"")
        _ = try bench.apply(file)
        try directory.copy(Fixture.path("counters"), as: "it.o")

        let failure = try refused(bench, file, status: 3)

        #expect(failure.kind == "refused")
        #expect(failure.findings?.first?.what.contains("changed on disk since") == true, "\(failure)")
        #expect(failure.findings?.first?.line == 5)
    }

    @Test("settings that the object does not know are found where they stand")
    func settings() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let file = try directory.write(
            "a.yaml",
            """
            version: 1
            interfaces:
              near:
                members:
                  - object: \(try Fixture.path("counters"))
                    variables: { nothing: 1 }
                    max_entries:
                      none: 2
                    reuse_maps:
                      no: "id:1"
                    pin_maps: /tmp
                  - object: \(try Fixture.path("several"))
                  - name: named
                    object: \(try Fixture.path("several"))
                    program: no_such
            """)

        let failure = try refused(bench, file, status: 3)

        #expect(places(failure) == ["6:31", "8:17", "10:15", "11:19", "12:17", "15:18"], "\(failure)")
    }

    @Test("another mode than that of the chain is refused, and any is fine for auto")
    func mode() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        try bench.loadAll("pass", mode: .generic)
        let native = try directory.describe(Self.object("pass"), settings: ["mode: native"])
        let failure = try refused(bench, native, status: 3)
        let auto = try directory.describe(Self.object("pass"), settings: ["mode: auto"])

        #expect(places(failure) == ["4:11"])
        #expect(failure.findings?.first?.remedy?.contains("`mode: generic`") == true, "\(failure)")
        #expect(try bench.apply(auto).map(\.outcome) == ["unchanged"])
    }

    @Test("a program that others attached is in the way, unless no chain is wanted")
    func foreign() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let stranger = try AttachedStranger(bench, byLink: true)
        let file = try directory.describe(Self.object("pass"))
        let failure = try refused(bench, file, status: 3)
        let none = try directory.describe(DescribedInterface(members: []))

        #expect(failure.findings?.first?.what.contains("program \(stranger.id)") == true, "\(failure)")
        #expect(failure.findings?.first?.remedy?.contains("adopted: true") == true, "\(failure)")
        #expect(try bench.apply(none).map(\.outcome) == ["unchanged"])
    }

    @Test("a program that others attached becomes a member in the same swap, and stays one")
    func adopting() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let stranger = try AttachedStranger(bench, byLink: true)
        let file = try directory.describe(
            "name: theirs, adopted: true, on: { pass: end }", Self.object("pass"),
            settings: ["counters: packets"])

        let applied = try bench.apply(file)
        let active = try bench.chain()
        let again = try bench.apply(file)
        let exported = try directory.write("b.yaml", bench.xdpctl("export", "near").output)

        #expect(applied.first?.steps.map(\.text) == ["adopt theirs", "add pass"])
        #expect(applied.first?.swaps == 1)
        #expect(active.manifest.generation == 1)
        #expect(active.manifest.chain.members.map(\.name) == ["theirs", "pass"])
        #expect(active.manifest.chain.counters == .packets)
        #expect(try active.member("theirs").separate?.programID == stranger.id)
        #expect(try active.member("theirs").edge(after: .pass) == .end)
        #expect(again.map(\.outcome) == ["unchanged"])
        #expect(try bench.apply(exported).map(\.outcome) == ["unchanged"])
    }

    @Test("an adopted member that does not run, or was loaded here, is refused")
    func adopted() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let file = try directory.describe("name: pass, adopted: true")
        let absent = try refused(bench, file, status: 3)
        try bench.loadAll("pass")
        let own = try refused(bench, file, status: 3)

        #expect(absent.findings?.first?.what.contains("does not run on near") == true, "\(absent)")
        #expect(own.findings?.first?.what.contains("was loaded from") == true, "\(own)")
    }

    @Test("interfaces that do not exist are passed over if that is asked for")
    func skipMissing() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let good = try Self.object("pass")
        let file = try directory.describe(
            DescribedInterface(name: "nosuch", members: [good]), DescribedInterface(members: [good]))

        let failure = try refused(bench, file, status: 3)
        let applied = try bench.apply(file, "--skip-missing")
        let text = try bench.xdpctl("apply", file, "--skip-missing")

        #expect(failure.findings?.first?.what == "there is no interface nosuch")
        #expect(applied.map(\.outcome) == ["skipped", "attached"])
        #expect(text.output.contains("nosuch  there is no such interface, passed over"), "\(text)")
    }

    @Test("only the interfaces that are asked for are touched, and it is fine if no file names them")
    func only() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let good = try Self.object("pass")
        let file = try directory.describe(
            DescribedInterface(name: "far", members: [good]), DescribedInterface(members: [good]))

        let none = try bench.apply(file, "--only", "lo")
        let far = try bench.apply(file, "--only", "far")

        #expect(none.isEmpty)
        #expect(far.map(\.interface) == ["far"])
        #expect(try bench.memberNames() == [])
    }

    @Test("chains that no file names go with --prune, and only with it")
    func prune() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        try bench.loadAll("pass")
        let file = try directory.describe(
            DescribedInterface(name: "far", members: [try Self.object("pass")]))
        _ = try bench.apply(file)
        let kept = try bench.memberNames()
        let planned = try bench.apply(file, "--prune", "--dry-run")
        let other = try bench.apply(file, "--prune", "--only", "far")
        let stillKept = try bench.memberNames()
        let pruned = try bench.apply(file, "--prune")

        #expect(kept == ["pass"])
        #expect(planned.map(\.interface) == ["far", "near"])
        #expect(planned.last?.file == nil)
        #expect(planned.last?.steps.map(\.text) == ["remove pass", "detach"])
        #expect(other.map(\.interface) == ["far"])
        #expect(stillKept == ["pass"])
        #expect(pruned.map(\.outcome) == ["unchanged", "detached"])
        #expect(try bench.memberNames() == [])
    }

    @Test("a directory is applied by the names of its files, and an empty one is fine")
    func directories() throws {
        let bench = try ChainBench()
        let directory = try TemporaryDirectory()
        let empty = try bench.apply(directory.path)
        let good = try Self.object("pass")
        try directory.describe(DescribedInterface(name: "near", members: [good]), as: "20-near.yml")
        try directory.describe(DescribedInterface(name: "far", members: [good]), as: "10-far.yaml")

        let applied = try bench.apply(directory.path)

        #expect(empty.isEmpty)
        #expect(applied.map(\.interface) == ["far", "near"])
        #expect(applied.map(\.outcome) == ["attached", "attached"])
    }

    @Test("a file that is not there is said to be missing")
    func noFile() throws {
        let bench = try ChainBench()
        let failure = try refused(bench, "/tmp/xdp-test-no-such.yaml", status: 1)

        #expect(failure.findings?.first?.what.contains("No such file or directory") == true, "\(failure)")
    }
}

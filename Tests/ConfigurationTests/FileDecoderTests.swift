// SPDX-License-Identifier: Apache-2.0
import Testing
import XDP

@testable import Configuration

/// What files say, and what is said of files that say nonsense.
@Suite("Configuration files")
struct FileDecoderTests {
    private static let whole = """
        version: 1
        interfaces:
          eth0:
            mode: generic
            counters: off
            fallback: drop
            members:
              - name: ids
                object: ../lib/ids.o
                program: ids_main
                sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                on: { drop: lb, pass: next, tx: end }
                isolate: true
                variables: { reflect: 1, label: "x y" }
                max_entries: { table: 1024 }
                reuse_maps: { table: /sys/fs/bpf/x, other: "id:42" }
                pin_maps: /sys/fs/bpf/xdp/ids
              - object: /usr/lib/xdp/lb.bpf.o
              - name: katran
                adopted: true
          eth1:
            members: []
        """

    private func decode(_ text: String) -> FileDecoder {
        FileDecoder(file: "/etc/xdpctl/a.yaml", text: Array(text.utf8))
    }

    @Test("every key is understood")
    func everything() throws {
        let decoder = decode(Self.whole)
        #expect(decoder.findings == [])
        #expect(decoder.entries.map(\.name) == ["eth0", "eth1"])
        let specification = try #require(decoder.entries.first?.specification)
        #expect(specification.mode == .generic)
        #expect(specification.counters == .off)
        #expect(specification.fallback == .drop)
        #expect(specification.members.map(\.name) == ["ids", "lb", "katran"])
        #expect(specification.members[2].source == .adopted)
        guard case .object(let request) = specification.members[0].source else {
            Issue.record("\(specification)")
            return
        }
        #expect(request.path == "/etc/xdpctl/../lib/ids.o")
        #expect(request.program == "ids_main")
        #expect(request.isIsolated)
        #expect(request.variables == ["reflect": "1", "label": "x y"])
        #expect(request.maximumEntries == ["table": 1024])
        #expect(request.reusedMaps == ["table": .pinned("/sys/fs/bpf/x"), "other": .id(42)])
        #expect(request.pinDirectory == "/sys/fs/bpf/xdp/ids")
        #expect(specification.members[0].edges == [.drop: .member("lb"), .pass: .next, .tx: .end])
        #expect(specification.members[0].digest?.prefix(2) == [0x9f, 0x86])
        #expect(decoder.entries[1].specification.members.isEmpty)
        #expect(decoder.entries[1].specification.mode == .native)
        #expect(decoder.entries[1].specification.counters == .bytes)
    }

    @Test(
        "relative objects are looked for beside the file",
        arguments: ["a.yaml", "./a.yaml", "/a.yaml", "x/a.yaml"])
    func directories(_ file: String) throws {
        let text = "version: 1\ninterfaces: {eth0: {members: [{object: a.o}]}}\n"
        let entry = try #require(FileDecoder(file: file, text: Array(text.utf8)).entries.first)
        let expected = ["a.yaml": "./a.o", "./a.yaml": "./a.o", "/a.yaml": "//a.o", "x/a.yaml": "x/a.o"][file]
        #expect(entry.specification.members.first?.source == .object(LoadRequest(path: expected ?? "")))
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        /// The part of the whole file that is exchanged, and what comes in its place.
        let old: String
        let new: String
        let place: String
        let what: String
        var testDescription: String { what }
    }

    @Test(
        "nonsense is found with its line and column, and with what was expected",
        arguments: [
            Bad(old: "version: 1", new: "", place: "2:1", what: "expected `version: 1`"),
            Bad(old: "version: 1", new: "version: 2", place: "1:10", what: "expected 1"),
            Bad(
                old: "version: 1", new: "version: 1\ninterface: 1", place: "2:1",
                what: "did you mean interfaces?"),
            Bad(old: "eth0:", new: "name-that-is-far-too-long:", place: "3:3", what: "up to 15 characters"),
            Bad(old: "eth0:", new: "a/b:", place: "3:3", what: "\"a/b\" cannot be the name of an interface"),
            Bad(old: "mode: generic", new: "mode: nativ", place: "4:11", what: "did you mean native?"),
            Bad(old: "mode: generic", new: "modes: generic", place: "4:5", what: "did you mean mode?"),
            Bad(old: "mode: generic", new: "mode: [native]", place: "4:11", what: "mode is a list"),
            Bad(old: "mode: generic", new: "mode:", place: "4:10", what: "mode is nothing"),
            Bad(old: "counters: off", new: "counters: all", place: "5:15", what: "off, packets, bytes"),
            Bad(old: "fallback: drop", new: "fallback: dropp", place: "6:15", what: "did you mean drop?"),
            Bad(old: "name: ids", new: "name: next", place: "8:15", what: "cannot be called \"next\""),
            Bad(old: "name: ids", new: "name: katran", place: "19:15", what: "two members called katran"),
            Bad(old: "object: ../lib/ids.o", new: "objekt: x", place: "9:9", what: "did you mean object?"),
            Bad(old: "object: ../lib/ids.o\n", new: "\n", place: "8:9", what: "the member has no object"),
            Bad(old: "sha256: 9f", new: "sha256: zz", place: "11:17", what: "expected 64 hexadecimal digits"),
            Bad(old: "drop: lb", new: "drop: lbb", place: "12:21", what: "did you mean lb?"),
            Bad(old: "drop: lb", new: "drop: ids", place: "12:21", what: "ids leads to itself"),
            Bad(old: "drop: lb", new: "drops: lb", place: "12:15", what: "did you mean drop?"),
            Bad(old: "isolate: true", new: "isolate: 1", place: "13:18", what: "expected true or false"),
            Bad(old: "reflect: 1", new: "reflect: ", place: "14:31", what: "reflect is nothing"),
            Bad(old: "table: 1024", new: "table: 0", place: "15:31", what: "no size of a map"),
            Bad(old: "table: /sys", new: "table: sys", place: "16:30", what: "no map"),
            Bad(old: "pin_maps: /", new: "pin_maps: ./", place: "17:19", what: "relative path"),
            Bad(
                old: "adopted: true", new: "adopted: true\n        isolate: true", place: "21:9",
                what: "no isolate"),
            Bad(old: "members: []", new: "{}", place: "21:3", what: "members is missing"),
            Bad(old: "members: []", new: "members: {}", place: "22:14", what: "members is a mapping"),
        ])
    func nonsense(_ bad: Bad) {
        #expect(Self.whole.contains(bad.old))
        let changed = Self.whole.split(separator: bad.old, maxSplits: 1, omittingEmptySubsequences: false)
        let decoder = decode(changed.joined(separator: bad.new))
        let texts = decoder.findings.map(\.description)
        #expect(
            texts.contains { $0.hasPrefix("/etc/xdpctl/a.yaml:\(bad.place): ") && $0.contains(bad.what) },
            "\(texts)")
        #expect(decoder.findings.allSatisfy { $0.kind == .invalid })
    }

    @Test("everything that is wrong is found at once")
    func many() {
        let decoder = decode(
            "version: 1\ninterfaces:\n  eth0: {mode: x, members: [{}, {object: a.o, on: {}}, 3]}\n")
        #expect(decoder.findings.count == 3, "\(decoder.findings)")
    }

    @Test(
        "the root may be anything without harm",
        arguments: ["1", "[]", "version: 1\ninterfaces: 3", "{}", "a"])
    func roots(_ text: String) {
        #expect(!decode(text).findings.isEmpty)
    }
}

// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import BPF

/// What is known of an object before the kernel sees it. Any user may run these.
@Suite("Object files")
struct ObjectFileTests {
    static let all: [String] = {
        let folder = Fixture.directory + "/fixtures"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".o") }.map { String($0.dropLast(2)) }.sorted()
    }()

    @Test("every fixture but the one with legacy maps opens")
    func opens() throws {
        #expect(Self.all.count > 60)
        for name in Self.all where name != "legacy_maps" {
            let object = try open(name)
            let hasXDP = object.programs.contains(where: \.isXDP)
            #expect(hasXDP, "\(name)")
        }
    }

    @Test("legacy maps are refused with what to write instead")
    func legacyMaps() {
        let error = #expect(throws: BPFError.self) { _ = try open("legacy_maps") }

        #expect(error?.kernelMessage?.contains("struct bpf_map_def") == true)
        #expect(error?.remedy?.contains("#[btf_map]") == true)
    }

    @Test(
        "what is no BPF object says what it is instead",
        arguments: [
            ([], "this is not an ELF object"), (Array("#!/bin/sh\n".utf8), "this is not an ELF object"),
            ([0x7f, 0x45, 0x4c, 0x46], "the ELF header is cut short"),
            (
                [0x7f, 0x45, 0x4c, 0x46, 1, 1] + [UInt8](repeating: 0, count: 80),
                "this is not a 64-bit little-endian object (build it with -target bpfel)"
            ),
            (
                [0x7f, 0x45, 0x4c, 0x46, 2, 1] + [UInt8](repeating: 0, count: 80),
                "this is not a BPF object (build it with `clang -target bpf -O2 -g -c`)"
            ),
        ])
    func foreign(bytes: [UInt8], message: String) {
        let error = #expect(throws: BPFError.self) { _ = try ObjectFile(bytes: bytes, name: "x.o") }

        #expect(error?.kernelMessage == message)
    }

    @Test(
        "programs are listed with their sections, also odd and old ones",
        arguments: [
            ("several", ["several_first xdp true", "several_second xdp true", "several_third xdp true"]),
            ("mixed", ["mixed_tc tc false", "mixed_xdp xdp true"]),
            (
                "sections",
                [
                    "section_dash xdp-root true", "section_prog prog true", "section_slash xdp/foo true",
                    "section_underscore xdp_filter true",
                ]
            ),
            ("long_name", ["program_with_a_long_name xdp true"]), ("frags", ["frags xdp.frags true"]),
        ])
    func programs(fixture: String, expected: [String]) throws {
        let object = try open(fixture)

        let found = object.programs.map { "\($0.name) \($0.section) \($0.isXDP)" }.sorted()
        #expect(found == expected)
    }

    @Test(
        "licences are read as the kernel compares them",
        arguments: [
            ("pass", "GPL"), ("dual_license", "Dual MIT/GPL"), ("proprietary", "Proprietary"),
        ])
    func license(fixture: String, expected: String) throws {
        let license = try open(fixture).license

        #expect(license == expected)
    }

    @Test("the programs of program arrays are told")
    func callees() throws {
        let callees = try ["tail_static", "tail_self", "tail_user"].map { try open($0).tailCallees }

        #expect(callees == [["callee"], ["again"], []])
    }

    @Test("a call of bpf_throw is found, also in a function, and not where there is none")
    func throwing() throws {
        for (name, expected) in [("throw", true), ("pass", false), ("kfunc_weak", false)] {
            let object = try open(name)
            let program = object.programs.first?.name ?? ""
            let calls = object.calls("bpf_throw", from: program)
            #expect(calls == expected, "\(name)")
        }
    }

    // MARK: Run configuration

    @Test("libxdp's metadata is read; what is not said keeps libxdp's defaults")
    func runConfiguration() throws {
        let object = try open("run_config")
        let configuration = object.runConfiguration(of: "run_config")
        let other = object.runConfiguration(of: "other")
        let silent = try open("pass").runConfiguration(of: "pass")

        #expect(configuration == RunConfiguration(priority: 10, continuingVerdicts: [1, 2]))
        #expect(other == nil)
        #expect(silent == nil)
    }

    // MARK: Maps

    @Test("maps are listed with their definitions; sections go by their own names")
    func maps() throws {
        let object = try open("counters")

        let lines = object.maps.map { "\($0.name): \($0.definition.summary) \($0.isInternal)" }
        #expect(lines.contains("protocols: percpu_array, key 4 bytes, value 8 bytes, 256 entries false"))
        let names = object.maps.map(\.name).sorted()
        #expect(names == [".bss", ".data", ".data.limits", "protocols"])
        let pinned = try open("pinned").maps
        #expect(pinned.first?.pinPath == "/sys/fs/bpf/xdp_fixture_pinned")
    }

    @Test("signatures are equal for equal layouts and differ for changed ones")
    func signatures() throws {
        let before = try open("replace_v1").maps
        let after = try open("replace_v2").maps
        func signature(_ maps: [ObjectFile.ObjectMap], _ name: String) -> String? {
            maps.first { $0.name == name }?.signature
        }

        #expect(signature(before, "kept")?.isEmpty == false)
        #expect(signature(before, "kept") == signature(after, "kept"))
        #expect(signature(before, "changed") != signature(after, "changed"))
        let again = try open("replace_v1").maps
        #expect(before.map(\.signature) == again.map(\.signature))
    }

    @Test("the size of a map is set by name, and an unknown name is refused with those that there are")
    func maximumEntries() throws {
        var object = try open("no_entries")
        let empty = object.maps.first { $0.definition.maximumEntries == 0 }
        let name = try #require(empty?.name)

        try object.setMaximumEntries(of: name, to: 12)

        let resized = object.maps.first { $0.name == name }?.definition.maximumEntries
        #expect(resized == 12)
        do throws(BPFError) {
            try object.setMaximumEntries(of: "nobody", to: 1)
            Issue.record("an unknown map was resized")
        } catch {
            #expect(error.remedy?.contains(name) == true)
        }
    }
}

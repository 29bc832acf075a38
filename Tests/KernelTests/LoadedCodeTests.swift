// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Foundation
import TestSupport
import Testing

@testable import XDP

/// Programs that are loaded, read back by their ids and analysed, against what they do. Needs root.
@Suite("Loaded programs, read back")
struct LoadedCodeTests {
    @Test("verdicts of every fixture are those that the analysis of the translated program foresees")
    func sound() throws {
        var count = 0
        // Thousands of instructions, the same over and over.
        let long: Set = ["large", "functions", "branches", "maps40", "frames"]
        let fixtures = try Fixtures.all().subtracting(long).sorted()
        // Emulated machines are asked for some of them.
        let step = Amount.seeds.count < 12 ? 5 : 1
        for fixture in stride(from: 0, to: fixtures.count, by: step).map({ fixtures[$0] }) {
            guard let object = LoadedObject(try Fixture.path(fixture)) else { continue }
            for (name, _) in object.programs {
                let program = try object.program(name)
                let loaded = try LoadedCode(programID: try program.information().id)
                let analysis = ProgramAnalysis(of: loaded.code)
                #expect(loaded.hidden == nil, "\(fixture) \(name)")
                #expect(
                    loaded.code.isTranslated && loaded.code.name == name, "\(fixture) \(loaded.code.name)")
                // The callees' verdicts come on top.
                guard analysis.tailCalls.isEmpty else { continue }
                for packet in PacketGenerator(seed: 5).prefix(24) {
                    // Programs for devmaps and cpumaps cannot be tried.
                    guard let run = try? program.testRun(packet.bytes) else { break }
                    if let verdict = Verdict(rawValue: run.verdict) {
                        #expect(analysis.verdictSet.contains(verdict), "\(fixture) \(name): \(run.verdict)")
                    } else {
                        #expect(!analysis.otherCodes.isEmpty, "\(fixture) \(name): \(run.verdict)")
                    }
                    count += 1
                }
            }
        }
        #expect(count > 1000 / step)
    }

    /// Fixtures and all that they can return, also when only their translation is known.
    static let simple: [(String, Set<Verdict>)] = [
        ("pass", [.pass]), ("drop", [.drop]), ("tx", [.tx]), ("aborted", [.aborted]),
        ("exits", [.aborted, .drop, .tx, .pass]), ("push_vlan", [.aborted, .pass]),
        ("unknown_verdict", []), ("loop", [.drop, .pass]), ("counters", [.pass]),
    ]

    @Test("what simple programs can return is exact", arguments: simple)
    func exact(fixture: String, verdicts: Set<Verdict>) throws {
        try KernelNeed.check(fixture)
        let object = try #require(LoadedObject(try Fixture.path(fixture)))
        let own = try AnalysedProgram(fixture: fixture).analysis.verdictSet
        let code = try LoadedCode(try object.program(object.programs[0].name)).code
        let analysis = ProgramAnalysis(of: code)

        #expect(analysis.verdictSet == verdicts)
        #expect(own == verdicts)
        #expect(analysis.unknownCalls.isEmpty)
    }

    @Test("functions, lines, maps and callees are found again")
    func details() throws {
        let object = try #require(LoadedObject(try Fixture.path("subprograms")))
        let code = try LoadedCode(try object.program("subprograms")).code
        let own = try AnalysedProgram(fixture: "subprograms").code

        #expect(code.functions.map(\.name) == own.functions.map(\.name))
        #expect(Set(code.lines.map(\.position)) == Set(own.lines.map(\.position)))
        #expect(code.lines.allSatisfy { $0.file.hasSuffix("subprograms.c") || $0.file.hasSuffix(".h") })
        let layout = try ProgramLayout(code.instructions)
        #expect(layout.subprograms.count == code.functions.count)
        #expect(layout.subprograms.map(\.lowerBound) == code.functions.map(\.instruction))
    }

    @Test("maps are named by place, with their definitions and ids")
    func maps() throws {
        let object = try #require(LoadedObject(try Fixture.path("counters")))
        let program = try object.program("count")
        let code = try LoadedCode(program).code

        #expect(code.mapIDs == (try program.mapIDs()))
        #expect(Set(code.maps.map(\.name)).isSuperset(of: ["protocols", ".bss", ".data"]))
        let used = ProgramAnalysis(of: code).usedMaps.map { code.maps[$0].name }
        #expect(used.contains(".bss"))
        #expect(!code.instructions.contains { $0.wideKind == .mapDescriptor || $0.wideKind == .mapValue })
    }

    @Test(
        "helpers are named where the kernel calls them",
        arguments: [
            ("push_vlan", UInt32(44)), ("trim", 65), ("meta_write", 54), ("printk", 6),
            ("perf_output", 25), ("tail_user", 12),
        ])
    func helpers(fixture: String, helper: UInt32) throws {
        let object = try #require(LoadedObject(try Fixture.path(fixture)))
        let analysis = ProgramAnalysis(of: try LoadedCode(try object.program(object.programs[0].name)).code)

        #expect(analysis.helpers.map(\.id).contains(helper), "\(analysis.helpers.map(\.id))")
    }

    @Test(
        "redirects are found in translated programs", arguments: ["devmap", "cpumap", "xskmap", "redirect"])
    func redirects(fixture: String) throws {
        let object = try #require(LoadedObject(try Fixture.path(fixture)))
        let code = try LoadedCode(try object.program(object.programs[0].name)).code
        let analysis = ProgramAnalysis(of: code)

        #expect(analysis.redirects.count == 1)
        switch analysis.redirects.first?.target {
        case .interfaces?: #expect(fixture == "redirect")
        case .map(let place)?: #expect(code.maps[place].definition.type.description.hasPrefix(fixture))
        default: Issue.record("\(fixture): \(analysis.redirects)")
        }
        #expect(analysis.verdictSet.contains(.redirect))
    }

    @Test("chains, their segments and members of their own are read like every program")
    func chains() throws {
        let chain = try KernelChain(fixtures: ["exits", "subprograms", "tail_user", "drop"])
        let packet = Array(PacketGenerator(seed: 3).prefix(1))[0]
        let run = try chain.testRun(packet.bytes)
        let loaded = try LoadedCode(chain.loaded.program)
        let analysis = ProgramAnalysis(of: loaded.code)

        #expect(analysis.verdictSet.contains(try #require(Verdict(rawValue: run.verdict))))
        #expect(loaded.code.functions.count > 1)
    }

    @Test("a program that is not there, and one of another type")
    func strangers() throws {
        let error = #expect(throws: XDPError.self) { _ = try LoadedCode(programID: 0xffff_fff0) }
        #expect(error?.what == "Program 4294967280 cannot be read")
        #expect(error?.why.contains("ENOENT") == true)
    }
}

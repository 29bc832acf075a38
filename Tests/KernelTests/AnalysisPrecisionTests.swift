// SPDX-License-Identifier: Apache-2.0
import Bytecode
import TestSupport
import Testing

@testable import XDP

/// Exactly what a reader of the source would say. Needs root, because preparing an object makes its maps.
@Suite("What the analysis finds out")
struct AnalysisPrecisionTests {
    typealias Row = (fixture: String, program: String, verdicts: Set<Verdict>)

    static let rows: [Row] = [
        ("pass", "pass", [.pass]), ("drop", "drop", [.drop]), ("tx", "tx", [.tx]),
        ("aborted", "aborted", [.aborted]),
        ("exits", "exits", [.aborted, .drop, .pass, .tx]), ("wide_verdict", "wide_verdict", [.pass]),
        ("garbage_verdict", "garbage_verdict", [.pass]), ("subprograms", "subprograms", [.drop, .pass]),
        ("verdicts", "from_table", [.drop, .pass, .tx]), ("verdicts", "from_mask", [.drop, .pass]),
        ("verdicts", "from_bit", [.drop, .pass]), ("verdicts", "from_clamp", [.drop, .pass, .tx]),
        ("verdicts", "from_modulo", [.aborted, .drop, .pass]), ("verdicts", "from_stack", [.pass, .tx]),
        ("verdicts", "from_half", [.drop, .tx]), ("verdicts", "from_subprogram", [.drop, .pass]),
        ("verdicts", "from_callee", [.pass, .tx]),
        ("verdicts", "from_switch", [.aborted, .drop, .pass, .tx]),
        ("verdicts", "from_comparison", [.aborted, .pass]), ("verdicts", "from_lower_half", [.drop, .pass]),
        ("verdicts", "from_configuration", [.pass]), ("verdicts", "from_wide", [.pass]),
        ("verdict_words", "by_words", [.drop, .pass]),
        ("verdict_words", "by_switch", [.aborted, .drop, .pass, .tx]),
        ("verdict_words", "by_sign", [.pass, .tx]),
        ("verdict_loop", "verdict_loop", [.drop, .pass]), ("loop", "loop", [.drop, .pass]),
        ("for_each", "for_each", [.drop, .pass]), ("throw", "throw", [.drop, .pass]),
        ("redirects", "else_aborted", [.aborted, .redirect]), ("redirects", "else_drop", [.drop, .redirect]),
        ("redirects", "else_pass", [.pass, .redirect]), ("redirects", "else_tx", [.tx, .redirect]),
        // Aborted where the kernel is too old for the flag.
        ("redirects", "to_all", [.aborted, .redirect]),
        ("redirects", "else_queue", [.aborted, .drop, .pass, .tx, .redirect]),
        ("redirects", "else_pass_or_tx", [.pass, .tx, .redirect]),
        ("redirects", "to_two", [.drop, .pass, .redirect]), ("redirects", "to_interface", [.redirect]),
        ("redirects", "to_ingress", [.redirect]), ("redirects", "with_flags", [.aborted]),
        ("redirects", "to_nowhere", [.redirect]),
        ("uses", "tail_constant", [.drop]), ("uses", "tail_variable", [.pass]),
        ("uses", "adjust_all", [.aborted, .pass]),
    ]

    @Test("exactly the verdicts that a program can return", arguments: rows)
    func verdicts(fixture: String, program: String, verdicts: Set<Verdict>) throws {
        try KernelNeed.check(fixture)
        let analysis = try AnalysedProgram(fixture: fixture, program: program).analysis

        #expect(analysis.verdictSet == verdicts)
        #expect(analysis.otherCodes.isEmpty)
        #expect(analysis.undecided.isEmpty)
        #expect(analysis.assumption == nil)
    }

    @Test("a verdict from a map can be any, and redirect only where a helper for it is reached")
    func maps() throws {
        let plain = try AnalysedProgram(fixture: "verdict_map", program: "plain_policy").analysis
        #expect(plain.verdictSet == [.aborted, .drop, .pass, .tx])
        #expect(!plain.undecided.isEmpty && !plain.otherCodes.isEmpty)
        #expect(plain.undecided.contains { $0.line?.text.contains("*verdict") == true })

        let redirecting = try AnalysedProgram(fixture: "verdict_map", program: "redirect_policy").analysis
        #expect(redirecting.verdictSet == Set(Verdict.allCases))
    }

    @Test("numbers that are no verdicts are told from those that are")
    func otherCodes() throws {
        let unknown = try AnalysedProgram(fixture: "unknown_verdict").analysis
        #expect(unknown.verdictSet.isEmpty && unknown.otherCodes.count == 1 && unknown.undecided.isEmpty)

        // The last byte modulo 8: decided, also for redirect.
        let choose = try AnalysedProgram(fixture: "choose").analysis
        #expect(choose.verdictSet == Set(Verdict.allCases))
        #expect(!choose.otherCodes.isEmpty && choose.undecided.isEmpty)
    }

    @Test("each verdict stands at the line that decides it")
    func places() throws {
        let table: [(String, Verdict, String)] = [
            ("drop", .drop, "XDP_DROP"), ("tx", .tx, "XDP_TX"), ("throw", .drop, "bpf_throw"),
            ("xskmap", .redirect, "bpf_redirect_map"), ("xskmap", .pass, "bpf_redirect_map"),
        ]
        for (fixture, verdict, text) in table {
            try KernelNeed.check(fixture)
            let places = try AnalysedProgram(fixture: fixture).analysis.verdicts[verdict] ?? []
            let lines = places.compactMap(\.line?.text)
            #expect(lines.count == 1 && lines[0].contains(text), "\(fixture): \(lines)")
        }
    }

    @Test("redirects name their maps, interfaces and fallback")
    func redirects() throws {
        func redirects(_ program: String) throws -> [ProgramAnalysis.Redirect] {
            try AnalysedProgram(fixture: "redirects", program: program).analysis.redirects
        }
        let table: [(String, ProgramAnalysis.RedirectTarget, Set<Verdict>?)] = [
            ("else_aborted", .map(0), [.aborted]), ("else_drop", .map(0), [.drop]),
            ("else_tx", .map(0), [.tx]),
            ("to_all", .map(0), [.redirect]), ("else_queue", .map(0), nil),
            ("else_pass_or_tx", .map(0), [.pass, .tx]), ("to_interface", .interfaces([7, 9]), nil),
            ("to_ingress", .interfaces(nil), nil),
        ]
        for (program, target, fallback) in table {
            let found = try redirects(program)
            #expect(found.map(\.target) == [target], "\(program)")
            #expect(found.map(\.fallback) == [fallback], "\(program)")
            #expect(found.allSatisfy { $0.places.count == 1 && $0.places[0].line != nil })
        }
        let both = try redirects("to_two")
        #expect(Set(both.map(\.target)) == [.map(0), .map(1)])
        #expect(both.first { $0.target == .map(1) }?.fallback == [.drop])

        let hidden = try AnalysedProgram(fixture: "verdicts", program: "from_configuration").analysis
        #expect(hidden.redirects.isEmpty && hidden.helpers.isEmpty)
    }

    @Test("tail calls name the array and its entries")
    func tailCalls() throws {
        let table: [(String, Set<UInt32>?)] = [
            ("tail_constant", [5]), ("tail_variable", nil), ("tail_either", [2, 3]),
        ]
        for (program, entries) in table {
            let analysis = try AnalysedProgram(fixture: "uses", program: program).analysis
            #expect(analysis.tailCalls.map(\.map) == [0], "\(program)")
            #expect(analysis.tailCalls.map(\.entries) == [entries], "\(program)")
            #expect(analysis.usedMaps == [0])
        }
    }

    @Test("adjustments and fields of the context are found, also in subprograms")
    func uses() throws {
        let all = try AnalysedProgram(fixture: "uses", program: "adjust_all").analysis
        #expect([all.adjustsHead, all.adjustsTail, all.adjustsMetadata].map(\.count) == [1, 1, 1])
        #expect(all.contextFields == [])
        let tail = try AnalysedProgram(fixture: "uses", program: "adjust_tail").analysis
        #expect([tail.adjustsHead, tail.adjustsTail, tail.adjustsMetadata].map(\.count) == [0, 1, 0])
        let metadata = try AnalysedProgram(fixture: "uses", program: "reads_metadata").analysis
        #expect(metadata.contextFields == [.data, .dataMeta])
        let queue = try AnalysedProgram(fixture: "uses", program: "reads_queue").analysis
        #expect(queue.contextFields == [.receiveQueue])
        #expect(queue.functionCount == 2 && queue.verdictSet == [.drop, .pass])
        #expect(queue.stackDepth == 64)
    }

    @Test("kernel functions have their names")
    func kernelFunctions() throws {
        try KernelNeed.check("iterator")
        let analysis = try AnalysedProgram(fixture: "iterator").analysis
        #expect(
            analysis.kernelFunctions.map(\.name) == [
                "bpf_iter_num_destroy", "bpf_iter_num_new", "bpf_iter_num_next",
            ])
        #expect(analysis.unknownCalls.isEmpty && analysis.verdictSet == [.pass])
    }
}

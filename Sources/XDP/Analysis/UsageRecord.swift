// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What was met on the way through a program, by the place of its instruction.
struct UsageRecord {
    var exits: [Int: TrackedValue] = [:]
    var thrown: [Int: TrackedValue] = [:]
    var helpers: [UInt32: Set<Int>] = [:]
    var kernelFunctions: [String: [String?: Set<Int>]] = [:]
    var unknownCalls: Set<Int> = []
    var usedMaps: Set<Int> = []
    /// The interfaces that bpf_redirect is given; nil inside where they could not be told.
    var interfaces: [Int: Set<UInt32>?] = [:]
    /// The maps that bpf_redirect_map is given, each with what it returns where there is no entry; nil inside where
    /// that could not be told.
    var mapRedirects: [Int: [ProgramAnalysis.RedirectTarget: Set<Verdict>?]] = [:]
    /// The arrays that tail calls are given, nil for one that could not be told, each with the entries; nil
    /// inside where they could not be told.
    var tailCalls: [Int: [Int?: Set<UInt32>?]] = [:]
    var contextFields: Set<ProgramAnalysis.ContextField> = []
    /// Whether something was reached that redirects, or that nobody knows.
    var mayRedirect = false

    mutating func addExit(_ value: TrackedValue, at index: Int) {
        exits[index] = exits[index].map { $0.joined(value.unlinked) } ?? value.unlinked
    }

    mutating func addThrow(_ value: TrackedValue, at index: Int) {
        thrown[index] = thrown[index].map { $0.joined(value.unlinked) } ?? value.unlinked
    }

    mutating func addRedirect(interfaces number: NumberSet?, at index: Int) {
        let given = number?.lowMembers.map(Set.init)
        interfaces[index] = .some(Self.union(interfaces[index], given))
    }

    mutating func addRedirect(map: AnalysisValue, flags: NumberSet?, at index: Int) {
        var targets: [ProgramAnalysis.RedirectTarget] = [.unknownMap]
        if case .maps(let places) = map { targets = places.map { .map($0) } }
        for target in targets {
            let known = mapRedirects[index]?[target]
            mapRedirects[index, default: [:]][target] = .some(Self.union(known, Self.fallback(flags)))
        }
    }

    /// Both, nil if one of them is anything; where there was nothing yet, the new ones.
    private static func union<Element>(_ known: Set<Element>??, _ given: Set<Element>?) -> Set<Element>? {
        guard let known else { return given }
        return known.flatMap { known in given.map(known.union) }
    }

    /// What bpf_redirect_map returns where the map has no entry.
    static func fallback(_ flags: NumberSet?) -> Set<Verdict>? {
        guard let members = flags?.members else { return nil }
        var verdicts: Set<Verdict> = []
        for flags in members {
            // BPF_F_BROADCAST asks for no entry.
            let code = flags & 8 != 0 ? Verdict.redirect.rawValue : UInt32(flags & 3)
            if let verdict = Verdict(rawValue: code) { verdicts.insert(verdict) }
        }
        return verdicts
    }

    mutating func addTailCall(map: AnalysisValue, entry: NumberSet?, at index: Int) {
        var arrays: [Int?] = [nil]
        if case .maps(let places) = map { arrays = places }
        for array in arrays {
            let known = tailCalls[index]?[array]
            let entries = Self.union(known, entry?.lowMembers.map(Set.init))
            tailCalls[index, default: [:]].updateValue(entries, forKey: array)
        }
    }
}

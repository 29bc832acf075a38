// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What was met on the way through a program, by the place of its instruction.
struct UsageRecord {
    /// A call of `bpf_redirect` or `bpf_redirect_map`.
    struct Redirect {
        var isByMap: Bool
        /// Nil where they could not be told.
        var interfaces: Set<UInt32>? = []
        var maps: Set<Int> = []
        var hasUnknownMap = false
        /// Nil where it could not be told.
        var fallback: Set<Verdict>? = []
    }

    /// A tail call.
    struct TailCall {
        var maps: Set<Int> = []
        var hasUnknownMap = false
        /// Nil where they could not be told.
        var entries: Set<UInt32>? = []
    }

    var exits: [Int: TrackedValue] = [:]
    var thrown: [Int: TrackedValue] = [:]
    var helpers: [UInt32: Set<Int>] = [:]
    var kernelFunctions: [String: [String?: Set<Int>]] = [:]
    var unknownCalls: Set<Int> = []
    var usedMaps: Set<Int> = []
    var redirects: [Int: Redirect] = [:]
    var tailCalls: [Int: TailCall] = [:]
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
        var record = redirects[index] ?? Redirect(isByMap: false)
        record.interfaces = record.interfaces.flatMap { known in number?.lowMembers.map(known.union) }
        redirects[index] = record
    }

    mutating func addRedirect(map: AnalysisValue, flags: NumberSet?, at index: Int) {
        var record = redirects[index] ?? Redirect(isByMap: true)
        if case .maps(let places) = map {
            record.maps.formUnion(places)
        } else {
            record.hasUnknownMap = true
        }
        record.fallback = record.fallback.flatMap { known in Self.fallback(flags).map(known.union) }
        redirects[index] = record
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
        var record = tailCalls[index] ?? TailCall()
        if case .maps(let places) = map {
            record.maps.formUnion(places)
        } else {
            record.hasUnknownMap = true
        }
        record.entries = record.entries.flatMap { known in
            entry?.lowMembers.map { known.union($0) }
        }
        tailCalls[index] = record
    }
}

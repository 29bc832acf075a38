// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// Makes the result of what was met on the way.
struct AnalysisReport {
    private let code: ProgramCode
    private let record: UsageRecord
    private let functionCount: Int
    /// Whether a function is there that nothing refers to: the callback for exceptions.
    private let hasExceptionCallback: Bool

    init(_ walk: ProgramWalk) {
        code = walk.code
        record = walk.record
        functionCount = walk.layout.subprograms.count
        let starts = Set(walk.layout.subprograms.map(\.lowerBound))
        hasExceptionCallback = code.functions.contains { !starts.contains($0.instruction) }
    }

    init(_ code: ProgramCode, _ record: UsageRecord, functionCount: Int) {
        self.code = code
        self.record = record
        self.functionCount = functionCount
        hasExceptionCallback = false
    }

    var analysis: ProgramAnalysis {
        var result = ProgramAnalysis(
            verdicts: [:], otherCodes: [], undecided: [], helpers: helpers, kernelFunctions: kernelFunctions,
            unknownCalls: places(record.unknownCalls), usedMaps: record.usedMaps, redirects: redirects,
            tailCalls: tailCalls, adjustsHead: places(of: HelperEffect.adjustHead),
            adjustsTail: places(of: HelperEffect.adjustTail),
            adjustsMetadata: places(of: HelperEffect.adjustMetadata),
            contextFields: code.isTranslated ? nil : record.contextFields, mayThrow: !record.thrown.isEmpty,
            stackDepth: nil, instructionCount: code.instructions.count, functionCount: functionCount)
        var verdicts: [Verdict: Set<Int>] = [:]
        var other: Set<Int> = []
        var undecided: Set<Int> = []
        var returned = record.exits.map { ($0.key, $0.value) }
        for (index, cookie) in record.thrown {
            // Without a callback the kernel returns what is thrown.
            returned.append((index, hasExceptionCallback ? .unknown : cookie))
        }
        for (index, value) in returned {
            let number = value.value.number ?? .full
            let isListed = number.lowMembers != nil
            let possible = Verdict.allCases.filter { number.lowContains($0.rawValue) }
            // One of few numbers, or none but the verdict for an error: that is decided.
            let isUnknown = !isListed && possible.count > 1
            if isUnknown { undecided.formUnion(Self.places(of: value, nil, at: index)) }
            for verdict in possible where !isUnknown || verdict != .redirect || record.mayRedirect {
                verdicts[verdict, default: []].formUnion(Self.places(of: value, verdict.rawValue, at: index))
            }
            if let members = number.lowMembers {
                for code in members where Verdict(rawValue: code) == nil {
                    other.formUnion(Self.places(of: value, code, at: index))
                }
            } else {
                other.formUnion(Self.places(of: value, nil, at: index))
            }
        }
        result.verdicts = verdicts.mapValues(places)
        result.otherCodes = places(other)
        result.undecided = places(undecided)
        return result
    }

    /// Where a number was made that is returned; `code` is nil for all that are no constants.
    private static func places(of value: TrackedValue, _ code: UInt32?, at exit: Int) -> Set<Int> {
        var found = Set(
            value.origins.filter { origin in
                guard let constant = origin.constant else { return true }
                return constant == code
            }.map(\.instruction))
        if found.isEmpty || value.hasMoreOrigins { found.insert(exit) }
        return found
    }

    private func places(_ indices: some Sequence<Int>) -> [ProgramAnalysis.Place] {
        Set(indices).sorted().map { ProgramAnalysis.Place(instruction: $0, line: code.line(of: $0)) }
    }

    private func places(of helper: UInt32) -> [ProgramAnalysis.Place] {
        places(record.helpers[helper] ?? [])
    }

    private var helpers: [ProgramAnalysis.Helper] {
        record.helpers.sorted { $0.key < $1.key }.map { .init(id: $0.key, places: places($0.value)) }
    }

    private var kernelFunctions: [ProgramAnalysis.KernelFunction] {
        record.kernelFunctions.sorted { $0.key < $1.key }.flatMap { name, modules in
            modules.sorted { ($0.key ?? "") < ($1.key ?? "") }.map {
                .init(name: name, module: $0.key, places: places($0.value))
            }
        }
    }

    /// Calls with the same target and fallback are one redirect.
    private var redirects: [ProgramAnalysis.Redirect] {
        var calls: [(index: Int, target: ProgramAnalysis.RedirectTarget, fallback: Set<Verdict>?)] = []
        for (index, interfaces) in record.interfaces { calls.append((index, .interfaces(interfaces), nil)) }
        for (index, targets) in record.mapRedirects {
            for (target, fallback) in targets { calls.append((index, target, fallback)) }
        }
        var found: [ProgramAnalysis.Redirect] = []
        for call in calls.sorted(by: { ($0.index, Self.rank($0.target)) < ($1.index, Self.rank($1.target)) })
        {
            let places = places([call.index])
            if let same = found.firstIndex(where: { $0.target == call.target && $0.fallback == call.fallback }
            ) {
                found[same].places += places
            } else {
                found.append(.init(target: call.target, fallback: call.fallback, places: places))
            }
        }
        return found
    }

    private static func rank(_ target: ProgramAnalysis.RedirectTarget) -> Int {
        switch target {
        case .interfaces: -1
        case .map(let place): place
        case .unknownMap: .max
        }
    }

    private var tailCalls: [ProgramAnalysis.TailCall] {
        var found: [ProgramAnalysis.TailCall] = []
        for (index, arrays) in record.tailCalls.sorted(by: { $0.key < $1.key }) {
            for (map, entries) in arrays.sorted(by: { $0.key ?? .max < $1.key ?? .max }) {
                if let same = found.firstIndex(where: { $0.map == map && $0.entries == entries }) {
                    found[same].places += places([index])
                } else {
                    found.append(.init(map: map, entries: entries, places: places([index])))
                }
            }
        }
        return found
    }
}

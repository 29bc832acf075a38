// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import XDP

// What rules do. r7 is the record of the one that acts.
extension FilterEmitter {
    /// Where the rule at r7 counts and decides.
    mutating func act() -> Label {
        if let actLabel { return actLabel }
        let label = code.label()
        actLabel = label
        return label
    }

    /// Emits what all rules share, at the end.
    mutating func emitEnds() {
        if let actLabel {
            note("count and decide")
            code.place(actLabel)
            emitCount()
            emitDispatch()
        }
        for verdict in verdictLabels.keys.sorted() {
            guard let label = verdictLabels[verdict] else { continue }
            note("\(verdict)", line: firstLine(of: verdict))
            code.place(label)
            if verdict == .redirect {
                emitRedirect()
            } else {
                append(.move(.r0, Int32(verdict.rawValue)), .exit)
            }
        }
    }

    /// Where the rules first ask for a verdict, for messages about it; 0 where none has a place.
    private func firstLine(of verdict: Verdict) -> Int {
        let all = input.rules.rules + input.rules.groups.flatMap(\.rules)
        return all.first { rule in
            switch rule.action {
            case .decide(let decided): decided == verdict
            case .redirect: verdict == .redirect
            case .limit(let limit): limit.excess == verdict
            case .jump, .log, .count: false
            }
        }?.place.line ?? 0
    }

    /// Goes to the verdict of the record.
    mutating func emitDispatch() {
        let verdicts = recordVerdicts.sorted()
        if verdicts.count > 1 { append(.load(.byte, .r1, from: .r7, offset: 1)) }
        for verdict in verdicts.dropLast() {
            code.jump(.equal, .r1, Int32(verdict.rawValue), to: label(of: verdict))
        }
        if let last = verdicts.last { code.jump(to: label(of: last)) }
    }

    /// To the interface of the record. Where that is gone, the helper says `aborted` (its flags are 0).
    private mutating func emitRedirect() {
        let map = maps.place(
            of: .devices(devices),
            MapDefinition(
                name: "devices", type: .deviceMap, keySize: 4, valueSize: 4,
                maximumEntries: UInt32(max(devices.count, 1))))
        append(.load(.halfWord, .r2, from: .r7, offset: 2))
        code.append(Instruction.loadMap(.r1, index: map))
        append(.move(.r3, 0), .call(helper: Helper.redirect), .exit)
    }

    // MARK: - Counting

    /// The pages on which rules count.
    private var pages: [Int] { Set(input.counters.values.map(\.page)).sorted() }

    private mutating func counterMap(_ page: Int) -> Int32 {
        maps.place(
            of: .counters(page: page),
            MapDefinition(
                name: "counters", type: .perCPUArray, keySize: 4, valueSize: 16,
                maximumEntries: UInt32(CounterPlace.places(onPage: page))))
    }

    /// Counts for the record at r7; r8 is scratch.
    mutating func emitCount() {
        let pages = pages
        guard !pages.isEmpty else { return }
        let done = code.label()
        let found = code.label()
        append(.load(.word, .r1, from: .r7, offset: 4))
        code.jump(.equal, .r1, 0, to: done)
        // Half of all places are on the last page.
        for page in pages.reversed() {
            let isOther = code.label()
            let base = Int32(CounterPlace(page: page, place: 0).number + 1)
            if page != pages.first { code.jump(.less, .r1, base, to: isOther) }
            append(.subtract(.r1, base))
            store(.word, .r1, at: frame.scratch + 44)
            lookup(counterMap(page), key: frame.scratch + 44)
            code.jump(.equal, .r0, 0, to: done)
            code.jump(to: found)
            code.place(isOther)
        }
        code.place(found)
        emitAddition()
        code.place(done)
    }

    /// Counts in a place that is known.
    mutating func emitCount(at number: UInt32) {
        guard number > 0 else { return }
        let place = CounterPlace(number: Int(number) - 1)
        let done = code.label()
        storeImmediate(.word, place.place, at: frame.scratch + 44)
        lookup(counterMap(place.page), key: frame.scratch + 44)
        code.jump(.equal, .r0, 0, to: done)
        emitAddition()
        code.place(done)
    }

    /// A packet and its bytes more at r0.
    private mutating func emitAddition() {
        append(
            .load(.doubleWord, .r1, from: .r0), .add(.r1, 1), .store(.doubleWord, .r1, to: .r0))
        if let length = frame.length {
            load(.doubleWord, .r1, at: length)
        } else if input.usesFrags {
            append(
                .move(.r8, .r0), .move(.r1, .r6), .call(helper: Helper.length), .move(.r1, .r0),
                .move(.r0, .r8))
        } else {
            append(
                .load(.word, .r1, from: .r6, offset: 4), .load(.word, .r2, from: .r6, offset: 0),
                .subtract(.r1, .r2))
        }
        append(
            .load(.doubleWord, .r2, from: .r0, offset: 8), .add(.r2, .r1),
            .store(.doubleWord, .r2, to: .r0, offset: 8))
    }

    // MARK: - Limits and reports

    /// The kinds of a rule that does not decide, at r7; it counted.
    mutating func emitSide(_ kinds: Set<RuleRecord.Kind>, next: Label) {
        var rest = kinds.intersection([.limit, .log, .count])
        let limit = code.label()
        let log = code.label()
        if rest.count > 1 {
            append(.load(.byte, .r1, from: .r7))
            if rest.contains(.limit) {
                code.jump(.equal, .r1, Int32(RuleRecord.Kind.limit.rawValue), to: limit)
            }
            if rest.contains(.log) { code.jump(.equal, .r1, Int32(RuleRecord.Kind.log.rawValue), to: log) }
            code.jump(to: next)
        } else if rest == [.count] {
            return code.jump(to: next)
        }
        if rest.remove(.limit) != nil {
            code.place(limit)
            emitLimit(next)
        }
        if rest.remove(.log) != nil {
            code.place(log)
            emitLog(next)
        }
    }

    private mutating func bucketsMap() -> Int32 {
        maps.place(of: .buckets, ActionMaps.buckets(for: input.rules))
    }

    private mutating func emitLimit(_ next: Label) {
        let exceeded = code.label()
        let buckets = bucketsMap()
        LimitCode.emit(
            into: &code, frame: frame, bucketsMap: buckets, abilities: input.abilities, exceeded: exceeded,
            within: next)
        code.place(exceeded)
        emitDispatch()
    }

    private mutating func emitLog(_ next: Label) {
        let log = maps.place(of: .log, ActionMaps.log)
        let places = LogCode.Maps(log: log, state: stateMap(), buckets: bucketsMap())
        LogCode.emit(
            into: &code, frame: frame, maps: places, snapLength: snapLength, abilities: input.abilities,
            done: next)
    }

    /// The longest piece of a packet that a rule reports.
    private var snapLength: UInt16 {
        let all = input.rules.rules + input.rules.groups.flatMap(\.rules)
        return all.reduce(0) { longest, rule in
            guard case .log(let settings) = rule.action else { return longest }
            return max(longest, settings.snapLength)
        }
    }
}

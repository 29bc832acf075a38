// SPDX-License-Identifier: Apache-2.0
import Bytecode

// Rules one after the other.
extension FilterEmitter {
    mutating func emit(_ step: Step, _ predicates: [Predicate]) {
        let next = code.label()
        let matches = code.label()
        switch step {
        case .rule(let rule, _):
            note("\(rule.name): \(rule.summary)", line: rule.place.line)
            if rule.match != .always { emit(rule.match, yes: matches, no: next) }
            code.place(matches)
            emitAction(rule, next)
        case .run(let run):
            note("rules \(run.rules.first?.name ?? "") to \(run.rules.last?.name ?? "")")
            let number = addRun(run)
            let isCommon = code.label()
            emit(run.common, predicates, yes: isCommon, no: next)
            code.place(isCommon)
            emitRun(number, yes: matches, no: next)
            code.place(matches)
            emitRunRecord(number)
            code.jump(to: act())
        }
        code.place(next)
    }

    private mutating func emitAction(_ rule: FlatRule, _ next: Label) {
        emitCount(at: rule.counter)
        switch rule.action {
        case .decide(let verdict):
            code.jump(to: label(of: verdict))
        case .redirect:
            loadTable(.r7, maps.table(rule.head()))
            code.jump(to: label(of: .redirect))
        case .limit, .log:
            loadTable(.r7, maps.table(rule.record(before: 0)))
            emitSide([rule.kind], next: next)
        case .count:
            break
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import XDP

/// Cuts rules into blocks, and finds the classes of all their fields.
struct BlockBuilder {
    private(set) var blocks: [Block] = []
    private(set) var runs: [RuleRun] = []
    private(set) var fieldClasses: [FieldKey: FieldClasses] = [:]
    private(set) var predicates: [Predicate] = []
    private var current = Block()

    init(_ steps: [Step], _ normalizer: inout MatchNormalizer) throws(XDPError) {
        for (order, step) in steps.enumerated() {
            switch step {
            case .rule(let rule, let conjunctions): add(rule, conjunctions, order)
            case .run(let run): add(run, &normalizer)
            }
        }
        current.isLast = true
        blocks.append(current)
        for place in blocks.indices { blocks[place].arrange() }
        predicates = normalizer.predicates
        try findClasses()
    }

    private mutating func add(_ rule: FlatRule, _ conjunctions: [Conjunction], _ order: Int) {
        makeRoom(finals: rule.decides ? conjunctions.count : 0, others: rule.decides ? 0 : conjunctions.count)
        note(rule)
        for conjunction in conjunctions {
            if rule.decides {
                current.finals.append(.init(conjunction: conjunction, record: rule.head()))
            } else {
                current.others.append(
                    .init(conjunction: conjunction, rule: rule, position: current.finals.count, order: order))
            }
        }
    }

    private mutating func add(_ run: RuleRun, _ normalizer: inout MatchNormalizer) {
        makeRoom(finals: 1, others: 0)
        for rule in [run.rules.first, run.rules.last].compactMap({ $0 }) { note(rule) }
        let number = normalizer.number(of: .run(runs.count))
        let found = Conjunction(.predicate(number), .truth(true))
        var record: [UInt8] = [Block.PrivateKind.run, 0] + UInt16(truncatingIfNeeded: runs.count).hostBytes
        record += [UInt8](repeating: 0, count: FilterEmitter.headSize - record.count)
        current.finals.append(.init(conjunction: run.common.and(found) ?? found, record: record))
        current.runs.append(runs.count)
        runs.append(run)
    }

    private mutating func note(_ rule: FlatRule) {
        if current.first.isEmpty { current.first = rule.name }
        current.last = rule.name
    }

    /// Begins a new block where the current one is full.
    private mutating func makeRoom(finals: Int, others: Int) {
        // One final is kept for "none of these".
        guard
            current.finals.count + finals >= Block.finalLimit
                || current.others.count + others > Block.otherLimit
        else { return }
        var record: [UInt8] = [Block.PrivateKind.next]
        record += [UInt8](repeating: 0, count: FilterEmitter.headSize - record.count)
        current.finals.append(.init(conjunction: Conjunction(), record: record))
        blocks.append(current)
        current = Block()
    }

    private mutating func findClasses() throws(XDPError) {
        for block in blocks {
            for conjunction in block.conjunctions {
                for (key, constraint) in conjunction.constraints {
                    if case .predicate = key { continue }
                    fieldClasses[key, default: FieldClasses(key)].add(constraint)
                }
            }
        }
        for key in fieldClasses.keys {
            fieldClasses[key]?.close()
            guard let count = fieldClasses[key]?.count, count < 0x8000 else {
                throw XDPError(
                    .refused,
                    "the rules from \(blocks.first?.first ?? "") to \(blocks.last?.last ?? "") cannot be compiled",
                    because: "they tell more than 32767 kinds of \(key.text) apart",
                    remedy:
                        "Put those that are treated alike into a set, or the rules in an order in which those that differ in it alone follow each other"
                )
            }
        }
    }
}

extension FieldKey {
    var text: String {
        switch self {
        case .small(.number(let field)): field.rawValue
        case .small(.tcpFlags): "TCP flags"
        case .small(.fragment): "fragments"
        case .address(let field): "\(field.rawValue) addresses"
        case .mac(let field): "\(field.rawValue) MAC addresses"
        case .predicate: "questions"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Says in words how a compiled filter finds the rule of a packet, and estimates what that takes.
///
/// The nanoseconds are rough: measured once, by test runs on a server of 2023, with everything in the caches. They are
/// good for comparing stages with each other.
struct FilterPlanner {
    private(set) var stages: [FilterPlan.Stage] = []
    private(set) var remarks: [String] = []
    private let emitter: FilterEmitter

    private enum Cost {
        static let headers = 3.0
        static let extensions = 1.0
        static let tableClass = 0.4
        static let comparison = 0.3
        static let hash = 15.0
        static let trie = 20.0
        static let tree = 4.0
        static let table = 1.5
        static let clock = 5.0
        static let column = 0.5
        static let words = 4.0
        static let final = 2.0
        static let count = 1.5
        static let limit = 40.0
        static let log = 60.0
    }

    init(_ emitter: FilterEmitter, _ stages: FilterCompiler.Stages) {
        self.emitter = emitter
        addHeaders()
        switch stages {
        case .straight(let steps):
            var runs = 0
            for step in steps {
                add(step, run: runs)
                if case .run = step { runs += 1 }
            }
        case .blocks(let builder): add(builder)
        }
        addEnds()
    }

    private mutating func stage(_ name: String, _ detail: String, rules: String = "", _ nanoseconds: Double) {
        stages.append(
            .init(name: name, detail: detail, rules: rules, nanoseconds: (nanoseconds * 10).rounded() / 10))
    }

    private mutating func addHeaders() {
        let needs = emitter.needs
        guard needs.needsFrame else { return }
        let parts = [
            needs.macs.isEmpty ? nil : "MAC addresses",
            needs.needs(.etherType) || needs.needs(.vlan) || needs.needs(.innerVLAN) ? "type and tags" : nil,
            needs.needsNetwork ? "IPv4 and IPv6 header" : nil,
            needs.needsExtensions ? "extension headers" : nil,
            needs.needsTransport ? "transport header" : nil,
        ].compactMap { $0 }
        let classes = needs.classes.sorted { $0.order < $1.order }
        var detail = "read once: \(parts.joined(separator: ", "))"
        if !classes.isEmpty {
            detail += "; a table each for \(classes.map { FieldKey.small($0).text }.joined(separator: ", "))"
        }
        let cost = (needs.needsNetwork ? Cost.headers : 1) + Double(classes.count) * Cost.tableClass
        stage("headers", detail, cost + (needs.needsExtensions ? Cost.extensions : 0))
    }

    // MARK: - Straight code

    private mutating func add(_ step: Step, run number: Int) {
        switch step {
        case .rule(let rule, _):
            stage(
                "rule", rule.match == .always ? "\(rule.summary)" : "\(rule.summary) if it matches: code",
                rules: rule.name, cost(rule.match))
            addAction(rule)
        case .run(let run):
            addRun(run, number)
        }
    }

    private func cost(_ match: Match) -> Double {
        switch match {
        case .always: 0
        case .not(let part): cost(part)
        case .all(let parts), .any(let parts): parts.reduce(0) { $0 + cost($1) }
        case .test(.member(let set, _)): cost(ofSet: set)
        case .test(.address(_, let networks)) where networks.count > 16:
            networks.allSatisfy(\.isSingle) ? Cost.hash : Cost.trie
        case .test: Cost.comparison
        }
    }

    private func cost(ofSet name: String) -> Double {
        guard let declaration = emitter.input.rules.set(name) else { return 0 }
        let layout = SetLayout(declaration)
        let lookup: Double =
            switch layout.storage(of: layout.parts[0]) {
            case .hash: Cost.hash
            case .trie: Cost.trie
            case .table: Cost.table
            }
        return lookup + (declaration.hasTimeouts ? Cost.clock : 0)
    }

    private mutating func addRun(_ run: RuleRun, _ number: Int) {
        let isTrie = run.values.contains { values in
            guard case .address(let set)? = values.first else { return false }
            return set.four.ranges.contains { $0.count > 1 }
                || set.six.ranges.contains { $0.lowerBound != $0.upperBound }
        }
        let isTree = emitter.treeRuns.contains(number)
        let fields = run.fields.map(\.text).joined(separator: ", ")
        let first = run.rules.first?.name ?? ""
        let last = run.rules.last?.name ?? ""
        stage(
            "lookup",
            "\(run.rules.count) rules that differ in \(fields): one lookup (\(isTree ? "table" : isTrie ? "trie" : "hash"))",
            rules: "\(first) to \(last)",
            (isTree ? Cost.tree : isTrie ? Cost.trie : Cost.hash) + Double(run.common.keys.count)
                * Cost.comparison)
    }

    private mutating func addAction(_ rule: FlatRule) {
        switch rule.action {
        case .limit: stage("limit", "a token bucket, for packets that match", rules: rule.name, Cost.limit)
        case .log: stage("log", "a report, for packets that match", rules: rule.name, Cost.log)
        case .decide, .redirect, .count: break
        }
    }

    // MARK: - Blocks

    private mutating func add(_ builder: BlockBuilder) {
        for key in builder.fieldClasses.keys.sorted(by: { $0.order < $1.order }) {
            guard let classes = builder.fieldClasses[key] else { continue }
            switch key {
            case .address: addAddress(key, classes)
            case .mac: stage("lookup", "\(classes.count) classes of \(key.text): hash", Cost.hash)
            case .small, .predicate: break
            }
        }
        for predicate in builder.predicates { add(predicate, builder) }
        for block in builder.blocks { add(block) }
        if builder.blocks.count > 2 {
            remarks.append(
                "The rules fill \(builder.blocks.count) blocks, which are searched one after the other. Sets, and rules in an order in which those that differ in one address follow each other, take less."
            )
        }
    }

    private mutating func addAddress(_ key: FieldKey, _ classes: FieldClasses) {
        let steps = max(classes.four.count, classes.six.count)
        let isCompared = classes.four.count <= 16 && classes.six.count <= 8
        let isTrie = emitter.usesTrie.contains(key)
        let isTree = emitter.usesTree.contains(key)
        stage(
            isCompared ? "compare" : "lookup",
            "\(classes.count) classes of \(key.text): "
                + (isCompared
                    ? "comparisons"
                    : "\(isTree ? "table" : isTrie ? "trie" : "hash") of \(steps) ranges"),
            isCompared ? Cost.comparison * 4 : isTree ? Cost.tree : isTrie ? Cost.trie : Cost.hash)
    }

    private mutating func add(_ predicate: Predicate, _ builder: BlockBuilder) {
        switch predicate {
        case .run(let number): addRun(builder.runs[number], number)
        case .member(let set, _): stage("set \(set)", "asked once for all rules", cost(ofSet: set))
        case .interface, .bytes: stage(predicate.text, "asked once for all rules", Cost.comparison * 2)
        case .match(let match):
            stage("match", "too many alternatives for tables: code", cost(match))
            remarks.append(
                "A match has more than \(MatchNormalizer.limit) alternatives that no table can hold; it is asked as code for every packet. Lists within one field cost nothing: write `dport { … }` rather than `dport … or dport …`, or split the rule."
            )
        }
    }

    private mutating func add(_ block: Block) {
        var keys: Set<FieldKey> = []
        for conjunction in block.conjunctions { keys.formUnion(conjunction.keys) }
        let columns = Double(keys.count { if case .predicate = $0 { false } else { true } } + 1)
        var detail =
            "\(block.finals.count) alternatives at once: \(keys.count) rows of \(block.words * 64) bits"
        if !block.others.isEmpty { detail += ", \(block.otherRules) rules beside them that do not decide" }
        let words = block.words > 1 ? columns * Cost.column + Cost.words : 0
        stage(
            "classify", detail,
            rules: block.first == block.last ? block.first : "\(block.first) to \(block.last)",
            columns * Cost.column + words + Cost.final)
        var seen: Set<Int> = []
        for other in block.others where seen.insert(other.order).inserted { addAction(other.rule) }
    }

    private mutating func addEnds() {
        if !emitter.input.counters.isEmpty {
            stage("count", "packets and bytes of the rule that decides", Cost.count)
        }
    }
}

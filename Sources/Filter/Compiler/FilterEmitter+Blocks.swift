// SPDX-License-Identifier: Apache-2.0
import Bytecode
import XDP

// Finding the first rule of a block: the rows of all fields, and-ed.
extension FilterEmitter {
    /// A field of a block, and where its class or answers are.
    private struct Column {
        var slot: Int16
        var rows: MapBook.Table
        var count: Int
        var stride: Int
        var index: (table: MapBook.Table, count: Int)?
    }

    /// How many questions share one class.
    static let groupSize = 6

    // MARK: - Classes and answers

    /// Emits what no header tells at once: the classes of addresses, and the answers to questions.
    mutating func emitClasses(_ predicates: [Predicate]) {
        for key in fieldClasses.keys.sorted(by: { $0.order < $1.order }) {
            guard let classes = fieldClasses[key], let slot = classSlots[key] else { continue }
            switch key {
            case .address(let field):
                note("class of the \(field.rawValue) address")
                emitKinds(field, classes, slot)
            case .mac(let field):
                note("class of the \(field.rawValue) MAC address")
                emitKinds(field, classes, slot)
            case .small, .predicate: break
            }
        }
        for first in stride(from: 0, to: predicates.count, by: Self.groupSize) {
            let slot = layout.halfWord()
            answerSlots.append(slot)
            // The uppermost bit means nothing: so it is not a zero, which the verifier would remember.
            storeImmediate(.halfWord, 0x8000, at: slot)
            for number in first..<min(first + Self.groupSize, predicates.count) {
                emitAnswer(predicates[number], bit: number - first, slot)
            }
        }
    }

    private mutating func emitAnswer(_ predicate: Predicate, bit: Int, _ slot: Int16) {
        note(predicate.text)
        let yes = code.label()
        let no = code.label()
        emit(predicate, yes: yes, no: no)
        code.place(yes)
        load(.halfWord, .r1, at: slot)
        append(.alu64(.or, .r1, Int32(1 << bit)))
        store(.halfWord, .r1, at: slot)
        code.place(no)
    }

    private mutating func emitKinds(_ field: AddressField, _ classes: FieldClasses, _ slot: Int16) {
        let four = code.label()
        let six = code.label()
        let out = code.label()
        storeImmediate(.halfWord, classes.absent, at: slot)
        emitFamily(four: four, six: six, neither: out)
        code.place(four)
        emitKinds4(field, classes.four, slot: slot, out: out)
        code.place(six)
        emitKinds6(field, classes.six, slot: slot, out: out)
        code.place(out)
    }

    private mutating func emitKinds(_ field: MACField, _ classes: FieldClasses, _ slot: Int16) {
        // Rules name single addresses: what is no single one is all the others.
        var entries: [FilterMapEntry] = []
        let table = PrefixTable(classes.mac)
        for (place, step) in classes.mac.enumerated() where step.kind != table.standard {
            let end = place + 1 < classes.mac.count ? classes.mac[place + 1].lower : Constraint.absentMAC + 1
            for value in step.lower..<end {
                let isAbsent = value == Constraint.absentMAC
                let key = isAbsent ? [0, 0, 0, 0, 0, 0, 1, 0] : MACAddress(value: value).bytes + [0, 0]
                entries.append(
                    FilterMapEntry(key: key, value: UInt32(truncatingIfNeeded: step.kind).hostBytes))
            }
        }
        let out = code.label()
        storeImmediate(.halfWord, table.standard, at: slot)
        lookup(maps.hash(entries, key: 8, value: 4), key: macSlots[field] ?? 0)
        emitStore(slot, out)
        code.place(out)
    }

    // MARK: - Blocks

    /// Emits a block; a packet for which it has no rule goes on behind it.
    mutating func emit(_ block: Block, questions: Int) throws(XDPError) {
        note("find the rule: \(block.first) to \(block.last)")
        let columns = try columns(of: block, questions)
        let next = code.label()
        let position = layout.word()
        let candidates = block.others.isEmpty ? nil : layout.bytes(8)
        if block.words == 1 {
            emitWord(block, columns)
        } else {
            emitWords(block, columns)
        }
        if let candidates {
            store(.word, .r8, at: position)
            emitCandidates(columns, candidates)
            try emitOthers(block, candidates, position)
            load(.word, .r8, at: position)
        }
        emitFinal(block, next)
        code.place(next)
    }

    private mutating func columns(of block: Block, _ questions: Int) throws(XDPError) -> [Column] {
        var keys: Set<FieldKey> = []
        for conjunction in block.conjunctions { keys.formUnion(conjunction.keys) }
        var columns: [Column] = []
        for key in fieldClasses.keys.sorted(by: { $0.order < $1.order }) where keys.contains(key) {
            guard let classes = fieldClasses[key], let slot = classSlots[key] else { continue }
            columns.append(try column(BlockRows(block, classes), slot, block))
        }
        for first in stride(from: 0, to: questions, by: Self.groupSize) {
            let group = first..<min(first + Self.groupSize, questions)
            guard group.contains(where: { keys.contains(.predicate($0)) }) else { continue }
            columns.append(
                try column(BlockRows(block, answers: group), answerSlots[first / Self.groupSize], block))
        }
        return columns
    }

    private mutating func column(_ rows: BlockRows, _ slot: Int16, _ block: Block) throws(XDPError) -> Column
    {
        guard rows.bytes.count <= MapBook.largestConstant else {
            throw XDPError(
                .refused, "the rules from \(block.first) to \(block.last) cannot be compiled",
                because:
                    "their table would have \(rows.bytes.count) bytes, more than a map of the kernel holds",
                remedy: "Put addresses or ports that are treated alike into a set")
        }
        var column = Column(
            slot: slot, rows: maps.table(rows.bytes), count: rows.count, stride: rows.stride, index: nil)
        if let index = rows.index { column.index = (maps.table(index.flatMap(\.hostBytes)), index.count) }
        return column
    }

    /// r2 = the row that the packet has in a column; clobbers r1
    private mutating func emitRow(_ column: Column) {
        load(.halfWord, .r1, at: column.slot)
        if let index = column.index {
            bound(.r1, below: index.count)
            append(.alu64(.shiftLeft, .r1, 1))
            loadTable(.r2, index.table)
            append(.add(.r2, .r1), .load(.halfWord, .r1, from: .r2))
        }
        bound(.r1, below: column.count)
        scale(.r1, by: column.stride)
        loadTable(.r2, column.rows)
        append(.add(.r2, .r1))
    }

    /// `register &= what the columns have at an offset`
    private mutating func emitAnd(_ register: Register, _ columns: [Column], at offset: Int16) {
        for (place, column) in columns.enumerated() {
            emitRow(column)
            if place == 0 {
                append(.load(.doubleWord, register, from: .r2, offset: offset))
            } else {
                append(.load(.doubleWord, .r1, from: .r2, offset: offset), .alu64(.and, register, .r1))
            }
        }
        if columns.isEmpty { append(.move(register, -1)) }
    }

    /// r8 = the first final
    private mutating func emitWord(_ block: Block, _ columns: [Column]) {
        emitAnd(.r8, columns, at: Int16(block.wordOffset))
        lowestBit(of: .r8)
    }

    /// r8 = the first final: the summaries say in which words there may be one.
    private mutating func emitWords(_ block: Block, _ columns: [Column]) {
        let done = code.label()
        let best = layout.word()
        storeImmediate(.word, block.finals.count - 1, at: best)
        emitSummary(block, columns)
        append(.move(.r4, 0))
        let loop = code.labelHere()
        code.jump(.equal, .r8, 0, to: done)
        // Never: but the verifier wants to see the end.
        code.jump(.equal, .r4, Int32(block.words), to: done)
        append(.add(.r4, 1), .move(.r9, .r8))
        lowestBit(of: .r9)
        append(
            .move(.r1, .r8), .subtract(.r1, 1), .alu64(.and, .r8, .r1),
            .alu64(.and, .r9, Int32(block.words - 1)), .alu64(.shiftLeft, .r9, 3))
        for (place, column) in columns.enumerated() {
            if place < rowSlots.count { load(.doubleWord, .r2, at: rowSlots[place]) } else { emitRow(column) }
            append(
                .add(.r2, .r9),
                .load(
                    .doubleWord, place == 0 ? .r5 : .r1, from: .r2, offset: Int16(block.wordOffset)))
            if place > 0 { append(.alu64(.and, .r5, .r1)) }
            if place % 2 == 1 || place == columns.count - 1 { code.jump(.equal, .r5, 0, to: loop) }
        }
        lowestBit(of: .r5)
        append(
            .alu64(.shiftLeft, .r9, 3), .add(.r9, .r5), .alu64(.and, .r9, Int32(block.words * 64 - 1)),
            .alu64(.shiftLeft, .r9, 1))
        let filler = block.words * 64 - (block.arrangement?.finals.count ?? 0)
        let finals = (block.arrangement?.finals ?? []) + [Int](repeating: 0, count: filler)
        loadTable(.r1, maps.table(finals.flatMap { UInt16(truncatingIfNeeded: $0).hostBytes }))
        append(.add(.r1, .r9), .load(.halfWord, .r1, from: .r1))
        load(.word, .r2, at: best)
        code.jump(.greaterOrEqual, .r1, .r2, to: loop)
        store(.word, .r1, at: best)
        code.jump(to: loop)
        code.place(done)
        load(.word, .r8, at: best)
    }

    /// r8 = the words that may have candidates; keeps where the rows are.
    private mutating func emitSummary(_ block: Block, _ columns: [Column]) {
        while rowSlots.count < min(columns.count, Self.keptRows) { rowSlots.append(layout.bytes(8)) }
        for (place, column) in columns.enumerated() {
            emitRow(column)
            if place < rowSlots.count { store(.doubleWord, .r2, at: rowSlots[place]) }
            append(
                .load(
                    .doubleWord, place == 0 ? .r8 : .r1, from: .r2, offset: Int16(block.wordOffset - 8)))
            if place > 0 { append(.alu64(.and, .r8, .r1)) }
        }
        if columns.isEmpty { append(.move(.r8, 0)) }
    }

    /// The rows of so many columns stay at hand; those of others are found again for each word.
    private static let keptRows = 8

    // MARK: - Rules that do not decide

    private mutating func emitCandidates(_ columns: [Column], _ slot: Int16) {
        emitAnd(.r9, columns, at: 0)
        store(.doubleWord, .r9, at: slot)
    }

    /// Lets the candidates act that stand before the final that was found.
    private mutating func emitOthers(_ block: Block, _ candidates: Int16, _ position: Int16) throws(XDPError)
    {
        let tables = block.otherTables
        let done = code.label()
        append(.move(.r9, 0))
        let loop = code.labelHere()
        code.jump(.equal, .r9, Int32(block.otherRules), to: done)
        append(.add(.r9, 1))
        load(.doubleWord, .r8, at: candidates)
        // Without conjunctions beyond those that there are.
        if block.others.count < 64 {
            code.append(Instruction.loadImmediate64(.r1, (1 << UInt64(block.others.count)) - 1))
            append(.alu64(.and, .r8, .r1))
        }
        code.jump(.equal, .r8, 0, to: done)
        lowestBit(of: .r8)
        loadTable(.r2, maps.table(tables.kept))
        append(
            .move(.r1, .r8), .alu64(.shiftLeft, .r1, 3), .add(.r2, .r1), .load(.doubleWord, .r1, from: .r2))
        load(.doubleWord, .r2, at: candidates)
        append(.alu64(.and, .r2, .r1))
        store(.doubleWord, .r2, at: candidates)
        loadTable(.r7, maps.table(tables.records))
        append(.alu64(.shiftLeft, .r8, 6), .add(.r7, .r8), .load(.word, .r1, from: .r7, offset: 12))
        load(.word, .r2, at: position)
        code.jump(.greater, .r1, .r2, to: done)
        emitCount()
        emitSide(Set(block.others.map(\.rule.kind)), next: loop)
        code.place(done)
    }

    // MARK: - The final

    /// Lets the final act whose number is in r8.
    private mutating func emitFinal(_ block: Block, _ next: Label) {
        let count = block.words * 64
        let filler = [UInt8](repeating: 0, count: Self.headSize * (count - block.finals.count))
        append(.alu64(.and, .r8, Int32(count - 1)), .alu64(.shiftLeft, .r8, 4))
        loadTable(.r7, maps.table(block.finals.flatMap(\.record) + filler))
        append(.add(.r7, .r8))
        if !block.runs.isEmpty || !block.isLast { append(.load(.byte, .r1, from: .r7)) }
        if !block.isLast { code.jump(.equal, .r1, Int32(Block.PrivateKind.next), to: next) }
        if !block.runs.isEmpty {
            let isOne = code.label()
            code.jump(.notEqual, .r1, Int32(Block.PrivateKind.run), to: isOne)
            append(.load(.halfWord, .r1, from: .r7, offset: 2))
            for run in block.runs {
                let isOther = code.label()
                if run != block.runs.last { code.jump(.notEqual, .r1, Int32(run), to: isOther) }
                emitRunRecord(run)
                code.jump(to: act())
                code.place(isOther)
            }
            code.place(isOne)
        }
        code.jump(to: act())
    }

    /// r7 = the record that a run's lookup found
    mutating func emitRunRecord(_ run: Int) {
        load(.word, .r1, at: runSlots[run])
        bound(.r1, below: runRecords[run].count)
        append(.alu64(.shiftLeft, .r1, 4))
        loadTable(.r7, runRecords[run].table)
        append(.add(.r7, .r1))
    }
}

extension Predicate {
    /// What is asked, for the lines that the verifier quotes.
    var text: String {
        switch self {
        case .bytes(let test): "bytes at \(test.base.rawValue) + \(test.offset)"
        case .interface: "interface"
        case .member(let set, _): "set \(set)"
        case .match: "match"
        case .run(let number): "lookup \(number + 1)"
        }
    }
}

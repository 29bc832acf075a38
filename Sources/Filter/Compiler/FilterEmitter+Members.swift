// SPDX-License-Identifier: Apache-2.0
import Bytecode

// Lookups: in the sets that rules name, and in the maps of runs.
extension FilterEmitter {
    mutating func emitMember(of name: String, _ fields: [SetField], yes: Label, no: Label) {
        guard let declaration = input.rules.set(name), declaration.kinds.count == fields.count else {
            return code.jump(to: no)
        }
        let layout = SetLayout(declaration)
        guard layout.parts.contains(.ipv4) else {
            return emitPart(layout.parts[0], layout, declaration, fields, yes: yes, no: no)
        }
        let four = code.label()
        let six = code.label()
        emitFamily(four: four, six: six, neither: no)
        code.place(four)
        emitPart(.ipv4, layout, declaration, fields, yes: yes, no: no)
        code.place(six)
        emitPart(.ipv6, layout, declaration, fields, yes: yes, no: no)
    }

    private mutating func emitPart(
        _ part: SetLayout.Part, _ layout: SetLayout, _ declaration: SetDeclaration, _ fields: [SetField],
        yes: Label, no: Label
    ) {
        if let place = input.statePlaces[.init(set: declaration.name, part: part)] {
            let state = stateMap()
            code.append(
                Instruction.loadMapValue(.r1, index: state, offset: Int32(FilterState.offset(ofPlace: place)))
            )
            append(.load(.word, .r1, from: .r1))
            code.jump(.equal, .r1, 0, to: no)
        }
        let name = declaration.name
        let capacity = input.capacities[name] ?? 1
        let map = maps.place(of: .set(name, part), layout.definition(of: part, set: name, capacity: capacity))
        switch layout.storage(of: part) {
        case .table(let count): emitTable(map, count, layout, fields[0], yes: yes, no: no)
        case .hash:
            guard let key = emitKey(fields, layout, part, no: no) else { return code.jump(to: no) }
            lookup(map, key: key)
            emitEntry(layout.hasTimeouts, offset: 0, yes: yes, no: no)
        case .trie:
            guard case .address(let field) = fields[0] else { return code.jump(to: no) }
            storeImmediate(.word, part == .ipv4 ? 32 : 128, at: slot(of: field) - 4)
            lookup(map, key: slot(of: field) - 4)
            emitEntry(layout.hasTimeouts, offset: layout.hasTimeouts ? 8 : 0, yes: yes, no: no)
        }
    }

    /// Whether the entry at r0 counts.
    private mutating func emitEntry(_ hasTimeouts: Bool, offset: Int16, yes: Label, no: Label) {
        code.jump(.equal, .r0, 0, to: no)
        guard hasTimeouts else { return code.jump(to: yes) }
        append(.load(.doubleWord, .r1, from: .r0, offset: offset))
        emitTime(yes: yes, no: no)
    }

    /// Whether the entry in r1 counts now.
    private mutating func emitTime(yes: Label, no: Label) {
        code.jump(.equal, .r1, 0, to: no)
        code.jump(.less, .r1, 4, to: yes)
        store(.doubleWord, .r1, at: frame.scratch)
        append(.call(helper: Helper.time))
        load(.doubleWord, .r1, at: frame.scratch)
        code.jump(.greater, .r0, .r1, to: no)
        code.jump(to: yes)
    }

    private mutating func emitTable(
        _ map: Int32, _ count: Int, _ layout: SetLayout, _ field: SetField, yes: Label, no: Label
    ) {
        guard case .number(let number) = field, let slot = numberSlots[.number(number)] else {
            return code.jump(to: no)
        }
        load(.word, .r1, at: slot)
        code.jump(.greater, .r1, Int32(min(count - 1, Int(number.maximum))), to: no)
        if layout.hasTimeouts { append(.alu64(.shiftLeft, .r1, 3)) }
        code.append(Instruction.loadMapValue(.r2, index: map, offset: 0))
        append(.add(.r2, .r1), .load(layout.hasTimeouts ? .doubleWord : .byte, .r1, from: .r2))
        if layout.hasTimeouts { return emitTime(yes: yes, no: no) }
        code.jump(.equal, .r1, 0, to: no)
        code.jump(to: yes)
    }

    /// Writes the key of a tuple; where it stands. nil where the set has no such key.
    private mutating func emitKey(
        _ fields: [SetField], _ layout: SetLayout, _ part: SetLayout.Part, no: Label
    ) -> Int16? {
        if fields.count == 1, case .address(let field) = fields[0] { return slot(of: field) }
        var offset = frame.scratch
        for (field, kind) in zip(fields, layout.kinds) {
            let size = layout.size(of: kind, in: part)
            guard Int(offset - frame.scratch) + size <= FilterFrame.scratchSize else { return nil }
            switch field {
            case .address(let field):
                for word in stride(from: Int16(0), to: Int16(size), by: 4) {
                    load(.word, .r1, at: slot(of: field) + word)
                    store(.word, .r1, at: offset + word)
                }
            case .number(let field):
                guard let slot = numberSlots[.number(field)] else { return nil }
                load(.word, .r1, at: slot)
                code.jump(.greater, .r1, Int32(field.maximum), to: no)
                store(.word, .r1, at: offset)
            case .mac(let field):
                guard let slot = macSlots[field] else { return nil }
                // With its mark, a missing address is in no set.
                for word: Int16 in [0, 4] {
                    load(.word, .r1, at: slot + word)
                    store(.word, .r1, at: offset + word)
                }
            case .interface:
                append(.load(.word, .r1, from: .r6, offset: 12))
                store(.word, .r1, at: offset)
            }
            offset += Int16(size)
        }
        return frame.scratch
    }

    // MARK: - Runs

    /// The records of a run, and the places of its rules among them.
    struct RunRecords: Sendable {
        var table: MapBook.Table
        var count: Int
        /// The place of each rule's record.
        var places: [Int]
    }

    mutating func addRun(_ run: RuleRun) -> Int {
        var places: [Int] = []
        var known: [[UInt8]: Int] = [:]
        var bytes: [UInt8] = []
        for rule in run.rules {
            // Which of them acts is seen from the counter, if at all.
            let head = rule.head()
            let seen = rule.counter == 0 ? Array(head[..<8]) : head
            if let place = known[seen] {
                places.append(place)
            } else {
                known[seen] = bytes.count / Self.headSize
                places.append(bytes.count / Self.headSize)
                bytes += head
            }
            if let verdict = rule.verdict { recordVerdicts.insert(verdict) }
        }
        runRecords.append(
            RunRecords(table: maps.table(bytes), count: bytes.count / Self.headSize, places: places))
        runs.append(run)
        runSlots.append(layout.word())
        return runs.count - 1
    }

    /// The bytes of a record that deciding needs.
    static let headSize = 16

    /// Looks a packet up: `yes` with the place of the record in the run's slot.
    mutating func emitRun(_ number: Int, yes: Label, no: Label) {
        let run = runs[number]
        guard run.fields.contains(where: { if case .address = $0 { true } else { false } }) else {
            return emitRunKey(run, number, six: false, yes: yes, no: no)
        }
        let four = code.label()
        let six = code.label()
        emitFamily(four: four, six: six, neither: no)
        code.place(four)
        emitRunFamily(run, number, six: false, yes: yes, no: no)
        code.place(six)
        emitRunFamily(run, number, six: true, yes: yes, no: no)
    }

    private mutating func emitRunFamily(_ run: RuleRun, _ number: Int, six: Bool, yes: Label, no: Label) {
        guard run.fields.count == 1, case .address(let field) = run.fields[0] else {
            return emitRunKey(run, number, six: six, yes: yes, no: no)
        }
        let places = runRecords[number].places
        let sets = run.values.map { if case .address(let set)? = $0.first { set } else { AddressSet([]) } }
        if six {
            emitRunLookup(PrefixTable(firstOf: sets.map(\.six)), field, places, number, yes: yes, no: no)
        } else {
            let table = PrefixTable(firstOf: sets.map(\.four))
            if let tree = AddressTree(table.mapped { places[$0] }, otherwise: AddressTree.nothing) {
                return emitRunWalk(tree, field, number, yes: yes, no: no)
            }
            emitRunLookup(table, field, places, number, yes: yes, no: no)
        }
    }

    private mutating func emitRunWalk(
        _ tree: AddressTree, _ field: AddressField, _ number: Int, yes: Label, no: Label
    ) {
        guard tree.nodeCount > 0 || tree.root.contains(where: { $0 != AddressTree.nothing }) else {
            return code.jump(to: no)
        }
        treeRuns.insert(number)
        emitWalk(tree, field)
        code.jump(.equal, .r2, Int32(AddressTree.nothing), to: no)
        store(.word, .r2, at: runSlots[number])
        code.jump(to: yes)
    }

    private mutating func emitRunLookup<Bound>(
        _ table: PrefixTable<Bound>, _ field: AddressField, _ places: [Int], _ number: Int, yes: Label,
        no: Label
    ) {
        guard !table.entries.isEmpty else { return code.jump(to: no) }
        emitLookup(table.mapped { places[$0] }, field)
        emitRunFound(number, yes: yes, no: no)
    }

    private mutating func emitRunFound(_ number: Int, yes: Label, no: Label) {
        code.jump(.equal, .r0, 0, to: no)
        append(.load(.word, .r1, from: .r0))
        store(.word, .r1, at: runSlots[number])
        code.jump(to: yes)
    }

    /// Exact values of several fields, or of one that is no address.
    private mutating func emitRunKey(_ run: RuleRun, _ number: Int, six: Bool, yes: Label, no: Label) {
        var entries: [FilterMapEntry] = []
        var known: Set<[UInt8]> = []
        for (place, values) in run.values.enumerated() {
            guard let key = Self.key(values, six: six), known.insert(key).inserted else { continue }
            entries.append(
                FilterMapEntry(
                    key: key, value: UInt32(truncatingIfNeeded: runRecords[number].places[place]).hostBytes))
        }
        guard let size = entries.first?.key.count else { return code.jump(to: no) }
        var offset = frame.scratch
        for field in run.fields {
            let source: Int16
            var words: [Int16] = [0]
            switch field {
            case .small(let small): source = numberSlots[small] ?? 0
            case .mac(let mac): (source, words) = (macSlots[mac] ?? 0, [0, 4])
            case .address(let address): (source, words) = (slot(of: address), six ? [0, 4, 8, 12] : [0])
            case .predicate: continue
            }
            for word in words {
                load(.word, .r1, at: source + word)
                store(.word, .r1, at: offset)
                offset += 4
            }
        }
        lookup(maps.hash(entries, key: size, value: 4), key: frame.scratch)
        emitRunFound(number, yes: yes, no: no)
    }

    /// nil where the values are of the other family.
    private static func key(_ values: [Constraint], six: Bool) -> [UInt8]? {
        var key: [UInt8] = []
        for value in values {
            switch value {
            case .small(let set): key += (set.single ?? 0).hostBytes
            case .mac(let set): key += (set.single ?? 0).networkBytes[2...] + [0, 0]
            case .address(let set):
                if six {
                    guard let address = set.six.single else { return nil }
                    key += address.networkBytes
                } else {
                    guard let address = set.four.single else { return nil }
                    key += address.networkBytes
                }
            case .truth: return nil
            }
        }
        return key
    }
}

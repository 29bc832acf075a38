// SPDX-License-Identifier: Apache-2.0
import Bytecode

// What class an address is of, by comparisons where there are few, else by one lookup.
extension FilterEmitter {
    /// More ranges than this are looked up.
    private static let compared4 = 16
    private static let compared6 = 8

    /// Emits what `leaf` says of each class that the IPv4 address in the frame may have; it has to end with a jump.
    mutating func emitSteps4(
        _ field: AddressField, _ steps: [FieldClasses.Step<UInt32>],
        leaf: (inout FilterEmitter, Int) -> Void
    ) {
        if steps.count <= Self.compared4 {
            if steps.count > 1 {
                load(.word, .r1, at: slot(of: field))
                append(.toBigEndian(.r1, bits: 32))
            }
            return emitTree4(steps[...], leaf)
        }
        let table = PrefixTable(steps)
        emitLookup(table, field)
        emitFound(table.standard, Set(table.entries.map(\.value)), leaf)
    }

    mutating func emitSteps6(
        _ field: AddressField, _ steps: [FieldClasses.Step<UInt128>],
        leaf: (inout FilterEmitter, Int) -> Void
    ) {
        if steps.count <= Self.compared6 {
            if steps.count > 1 {
                let slot = slot(of: field)
                load(.doubleWord, .r1, at: slot)
                load(.doubleWord, .r2, at: slot + 8)
                append(.toBigEndian(.r1, bits: 64), .toBigEndian(.r2, bits: 64))
            }
            return emitTree6(steps[...], leaf)
        }
        let table = PrefixTable(steps)
        emitLookup(table, field)
        emitFound(table.standard, Set(table.entries.map(\.value)), leaf)
    }

    /// The same where the class is to be stored: then it need not be known in code.
    mutating func emitKinds4(
        _ field: AddressField, _ steps: [FieldClasses.Step<UInt32>], slot: Int16, out: Label
    ) {
        guard steps.count > Self.compared4 else {
            return emitSteps4(field, steps) { emitter, kind in
                emitter.storeImmediate(.halfWord, kind, at: slot)
                emitter.code.jump(to: out)
            }
        }
        let table = PrefixTable(steps)
        if let tree = AddressTree(table, otherwise: table.standard) {
            usesTree.insert(.address(field))
            emitWalk(tree, field)
            store(.halfWord, .r2, at: slot)
            return code.jump(to: out)
        }
        storeImmediate(.halfWord, table.standard, at: slot)
        emitLookup(table, field)
        emitStore(slot, out)
    }

    mutating func emitKinds6(
        _ field: AddressField, _ steps: [FieldClasses.Step<UInt128>], slot: Int16, out: Label
    ) {
        guard steps.count > Self.compared6 else {
            return emitSteps6(field, steps) { emitter, kind in
                emitter.storeImmediate(.halfWord, kind, at: slot)
                emitter.code.jump(to: out)
            }
        }
        let table = PrefixTable(steps)
        storeImmediate(.halfWord, table.standard, at: slot)
        emitLookup(table, field)
        emitStore(slot, out)
    }

    /// r2 = what a tree says of an address; clobbers r1 and r3
    mutating func emitWalk(_ tree: AddressTree, _ field: AddressField) {
        load(.word, .r1, at: slot(of: field))
        // Older verifiers know nothing of a number whose bytes were swapped.
        append(
            .toBigEndian(.r1, bits: 32), .move(.r2, .r1), .alu64(.shiftRight, .r2, 16),
            .alu64(.and, .r2, 0xffff), .alu64(.shiftLeft, .r2, 1))
        loadTable(.r3, maps.table(tree.root.flatMap(\.hostBytes)))
        append(.add(.r3, .r2), .load(.halfWord, .r2, from: .r3))
        guard tree.nodeCount > 0 else { return }
        let nodes = maps.table(tree.nodes.flatMap(\.hostBytes))
        let found = code.label()
        for shift: Int32 in [8, 0] {
            code.jump(.less, .r2, Int32(AddressTree.leadsOn), to: found)
            append(.alu64(.and, .r2, Int32(~AddressTree.leadsOn)))
            bound(.r2, below: tree.nodeCount)
            append(.alu64(.shiftLeft, .r2, 9), .move(.r3, .r1))
            if shift > 0 { append(.alu64(.shiftRight, .r3, shift)) }
            append(.alu64(.and, .r3, 255), .alu64(.shiftLeft, .r3, 1), .add(.r2, .r3))
            loadTable(.r3, nodes)
            append(.add(.r3, .r2), .load(.halfWord, .r2, from: .r3))
        }
        code.place(found)
    }

    /// Stores the class that was looked up.
    mutating func emitStore(_ slot: Int16, _ out: Label) {
        code.jump(.equal, .r0, 0, to: out)
        append(.load(.word, .r1, from: .r0))
        store(.halfWord, .r1, at: slot)
        code.jump(to: out)
    }

    /// r0 = lookup of an address
    mutating func emitLookup<Bound>(_ table: PrefixTable<Bound>, _ field: AddressField) {
        let size = Bound.bitWidth / 8
        let isExact = table.isExact
        let entries = table.entries.map {
            FilterMapEntry(
                key: $0.key(inTrie: !isExact), value: UInt32(truncatingIfNeeded: $0.value).hostBytes)
        }
        let slot = slot(of: field)
        if isExact {
            return lookup(maps.hash(entries, key: size, value: 4), key: slot)
        }
        usesTrie.insert(.address(field))
        let map = maps.trie(entries, key: size + 4, value: 4)
        storeImmediate(.word, Bound.bitWidth, at: slot - 4)
        lookup(map, key: slot - 4)
    }

    /// Goes where the class says that was looked up.
    private mutating func emitFound(
        _ standard: Int, _ values: Set<Int>, _ leaf: (inout FilterEmitter, Int) -> Void
    ) {
        let isMissing = code.label()
        code.jump(.equal, .r0, 0, to: isMissing)
        append(.load(.word, .r1, from: .r0))
        for value in values.sorted().dropLast() {
            let isOther = code.label()
            code.jump(.notEqual, .r1, Int32(value), to: isOther)
            leaf(&self, value)
            code.place(isOther)
        }
        if let last = values.max() { leaf(&self, last) }
        code.place(isMissing)
        leaf(&self, standard)
    }

    /// A binary search for the number in w1.
    private mutating func emitTree4(
        _ steps: ArraySlice<FieldClasses.Step<UInt32>>, _ leaf: (inout FilterEmitter, Int) -> Void
    ) {
        guard steps.count > 1 else { return leaf(&self, steps.first?.kind ?? 1) }
        let middle = steps.startIndex + steps.count / 2
        let isLower = code.label()
        code.jump32(.less, .r1, Int32(bitPattern: steps[middle].lower), to: isLower)
        emitTree4(steps[middle...], leaf)
        code.place(isLower)
        emitTree4(steps[..<middle], leaf)
    }

    /// A binary search for the number in r1 and r2.
    private mutating func emitTree6(
        _ steps: ArraySlice<FieldClasses.Step<UInt128>>, _ leaf: (inout FilterEmitter, Int) -> Void
    ) {
        guard steps.count > 1 else { return leaf(&self, steps.first?.kind ?? 1) }
        let middle = steps.startIndex + steps.count / 2
        let bound = steps[middle].lower
        let isLower = code.label()
        let isHigher = code.label()
        code.append(Instruction.loadImmediate64(.r3, UInt64(truncatingIfNeeded: bound >> 64)))
        code.jump(.less, .r1, .r3, to: isLower)
        if UInt64(truncatingIfNeeded: bound) != 0 {
            code.jump(.greater, .r1, .r3, to: isHigher)
            code.append(Instruction.loadImmediate64(.r3, UInt64(truncatingIfNeeded: bound)))
            code.jump(.less, .r2, .r3, to: isLower)
        }
        code.place(isHigher)
        emitTree6(steps[middle...], leaf)
        code.place(isLower)
        emitTree6(steps[..<middle], leaf)
    }
}

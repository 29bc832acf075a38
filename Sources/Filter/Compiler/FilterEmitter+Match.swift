// SPDX-License-Identifier: Apache-2.0
import Bytecode
import Netlink
import XDP

// Code that answers a question by jumping: to `yes` or to `no`.
extension FilterEmitter {
    mutating func emit(_ match: Match, yes: Label, no: Label) {
        switch match {
        case .always: code.jump(to: yes)
        case .not(let part): emit(part, yes: no, no: yes)
        case .all(let parts):
            for part in parts {
                let next = code.label()
                emit(part, yes: next, no: no)
                code.place(next)
            }
            code.jump(to: yes)
        case .any(let parts):
            for part in parts {
                let next = code.label()
                emit(part, yes: yes, no: next)
                code.place(next)
            }
            code.jump(to: no)
        case .test(let test): emit(test, yes: yes, no: no)
        }
    }

    private mutating func emit(_ test: Test, yes: Label, no: Label) {
        if case .tcpFlags(let value, let mask) = test, let slot = numberSlots[.tcpFlags] {
            load(.word, .r1, at: slot)
            code.jump(.greater, .r1, 255, to: no)
            append(.alu64(.and, .r1, Int32(mask)))
            code.jump(.equal, .r1, Int32(value), to: yes)
            return code.jump(to: no)
        }
        if let (key, constraint) = MatchNormalizer.constraint(test) {
            return emit(key, constraint, yes: yes, no: no)
        }
        switch test {
        case .interface(let names):
            emit(.interface(Set(names.compactMap { input.interfaces[$0] }).sorted()), yes: yes, no: no)
        case .bytes(let test): emit(test, yes: yes, no: no)
        case .member(let set, let fields): emitMember(of: set, fields, yes: yes, no: no)
        case .number, .address, .mac, .tcpFlags, .fragment: break
        }
    }

    mutating func emit(_ predicate: Predicate, yes: Label, no: Label) {
        switch predicate {
        case .bytes(let test): emit(test, yes: yes, no: no)
        case .interface(let indexes):
            append(.load(.word, .r1, from: .r6, offset: 12))
            for index in indexes { code.jump32(.equal, .r1, Int32(bitPattern: index), to: yes) }
            code.jump(to: no)
        case .member(let set, let fields): emitMember(of: set, fields, yes: yes, no: no)
        case .match(let match): emit(match, yes: yes, no: no)
        case .run(let number): emitRun(number, yes: yes, no: no)
        }
    }

    mutating func emit(_ conjunction: Conjunction, _ predicates: [Predicate], yes: Label, no: Label) {
        for key in conjunction.keys {
            guard let constraint = conjunction[key] else { continue }
            let next = code.label()
            if case .predicate(let number) = key, case .truth(let answer) = constraint {
                emit(predicates[number], yes: answer ? next : no, no: answer ? no : next)
            } else {
                emit(key, constraint, yes: next, no: no)
            }
            code.place(next)
        }
        code.jump(to: yes)
    }

    private mutating func emit(_ key: FieldKey, _ constraint: Constraint, yes: Label, no: Label) {
        switch (key, constraint) {
        case (.small(let field), .small(let set)):
            guard let slot = numberSlots[field] else { return }
            load(.word, .r1, at: slot)
            emitSearch(set.ranges[...], yes: yes, no: no)
        case (.address(let field), .address(let set)): emit(field, set, yes: yes, no: no)
        case (.mac(let field), .mac(let set)): emit(field, set, yes: yes, no: no)
        default: break
        }
    }

    /// Whether w1 is in one of the ranges.
    private mutating func emitSearch(_ ranges: ArraySlice<ClosedRange<UInt32>>, yes: Label, no: Label) {
        guard ranges.count > 4 else {
            for range in ranges {
                if range.count == 1 {
                    code.jump32(.equal, .r1, Int32(bitPattern: range.lowerBound), to: yes)
                    continue
                }
                if range.lowerBound > 0 {
                    code.jump32(.less, .r1, Int32(bitPattern: range.lowerBound), to: no)
                }
                code.jump32(.lessOrEqual, .r1, Int32(bitPattern: range.upperBound), to: yes)
            }
            return code.jump(to: no)
        }
        let middle = ranges.startIndex + ranges.count / 2
        let isLower = code.label()
        code.jump32(.less, .r1, Int32(bitPattern: ranges[middle].lowerBound), to: isLower)
        emitSearch(ranges[middle...], yes: yes, no: no)
        code.place(isLower)
        emitSearch(ranges[..<middle], yes: yes, no: no)
    }

    // MARK: - Addresses

    func slot(of field: AddressField) -> Int16 {
        (field == .source ? frame.sourceAddress : frame.destinationAddress) ?? 0
    }

    private mutating func emit(_ field: AddressField, _ set: AddressSet, yes: Label, no: Label) {
        let four = code.label()
        let six = code.label()
        emitFamily(four: four, six: six, neither: set.hasAbsent ? yes : no)
        code.place(four)
        var index = FieldClasses(.address(field))
        index.add(.address(AddressSet(four: set.four, six: set.six, hasAbsent: false)))
        index.close()
        let outside = index.absent
        emitSteps4(field, index.four) { emitter, kind in emitter.code.jump(to: kind == outside ? no : yes) }
        code.place(six)
        emitSteps6(field, index.six) { emitter, kind in emitter.code.jump(to: kind == outside ? no : yes) }
    }

    /// Jumps to the family's label.
    mutating func emitFamily(four: Label, six: Label, neither: Label) {
        load(.doubleWord, .r1, at: frame.ipVersion ?? 0)
        code.jump(.equal, .r1, 4, to: four)
        code.jump(.equal, .r1, 6, to: six)
        code.jump(to: neither)
    }

    // MARK: - MAC addresses

    private mutating func emit(_ field: MACField, _ set: IntervalSet<UInt64>, yes: Label, no: Label) {
        guard let slot = macSlots[field] else { return }
        if set.contains(Constraint.absentMAC) {
            return emit(field, set.complement(upTo: Constraint.absentMAC), yes: no, no: yes)
        }
        let addresses = set.ranges.flatMap { Array($0) }.map { MACAddress(value: $0) }
        guard addresses.count > 8 else {
            load(.doubleWord, .r1, at: slot)
            for address in addresses {
                code.append(Instruction.loadImmediate64(.r2, address.hostNumber))
                code.jump(.equal, .r1, .r2, to: yes)
            }
            return code.jump(to: no)
        }
        let entries = addresses.map { FilterMapEntry(key: $0.bytes + [0, 0], value: [1, 0, 0, 0]) }
        lookup(maps.hash(entries, key: 8, value: 4), key: slot)
        code.jump(.equal, .r0, 0, to: no)
        code.jump(to: yes)
    }

    // MARK: - Bytes

    private mutating func emit(_ test: ByteTest, yes: Label, no: Label) {
        guard (1...8).contains(test.count) else { return code.jump(to: no) }
        // Rules that acted before may have had r7 and r8.
        append(.load(.word, .r2, from: .r6, offset: 0), .load(.word, .r4, from: .r6, offset: 4))
        if test.base != .frame, let slot = test.base == .network ? networkSlot : transportSlot {
            load(.word, .r1, at: slot)
            // Behind two tags and eight extension headers; more is no offset.
            code.jump(.greater, .r1, 0x7fff, to: no)
            append(.add(.r2, .r1))
        }
        append(.add(.r2, Int32(test.offset)), .move(.r3, .r2), .add(.r3, Int32(test.count)))
        code.jump(.greater, .r3, .r4, to: no)
        emitNumber(test.count)
        if test.mask != .max {
            code.append(Instruction.loadImmediate64(.r3, test.mask))
            append(.alu64(.and, .r1, .r3))
        }
        code.append(Instruction.loadImmediate64(.r3, test.value))
        let condition: Condition =
            switch test.comparison {
            case .equal: .equal
            case .notEqual: .notEqual
            case .less: .less
            case .lessOrEqual: .lessOrEqual
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            }
        code.jump(condition, .r1, .r3, to: yes)
        code.jump(to: no)
    }

    /// r1 = so many bytes at r2 as a number in network order
    private mutating func emitNumber(_ count: UInt8) {
        switch count {
        case 1: append(.load(.byte, .r1, from: .r2))
        case 2: append(.load(.halfWord, .r1, from: .r2), .toBigEndian(.r1, bits: 16))
        case 4: append(.load(.word, .r1, from: .r2), .toBigEndian(.r1, bits: 32))
        case 8: append(.load(.doubleWord, .r1, from: .r2), .toBigEndian(.r1, bits: 64))
        default:
            append(.move(.r1, 0))
            for place in 0..<Int16(count) {
                append(
                    .alu64(.shiftLeft, .r1, 8), .load(.byte, .r4, from: .r2, offset: place),
                    .alu64(.or, .r1, .r4))
            }
        }
    }
}

extension MACAddress {
    /// The eight bytes of a key as a number in host order.
    var hostNumber: UInt64 {
        (bytes + [0, 0]).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) }
    }
}

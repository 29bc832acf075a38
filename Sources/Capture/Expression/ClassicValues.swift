// SPDX-License-Identifier: Apache-2.0

/// What a place can hold while a program of libpcap's machine runs, as expressions over the packet. A packet does not change
/// meanwhile, so the same expression is the same number wherever it stands; each is there once.
struct ClassicValues: Sendable {
    /// The place of an expression in the table.
    typealias Value = Int

    enum Expression: Hashable, Sendable {
        case constant(UInt32)
        /// The packet's length.
        case length
        case packet(ClassicSize, UInt32)
        /// Counted from another number.
        case indexed(ClassicSize, Value, UInt32)
        case headerLength(UInt32)
        case arithmetic(ClassicArithmetic, Value, Value)
        /// What a place holds when a block begins, where that is not known.
        case entry(block: Int, ClassicPlaces)
    }

    private(set) var expressions: [Expression] = []
    /// Bits that each may have set.
    private var possibleBits: [UInt32] = []
    private var numbers: [Expression: Value] = [:]

    subscript(_ value: Value) -> Expression { expressions[value] }

    func constant(_ value: Value) -> UInt32? {
        if case .constant(let number) = expressions[value] { return number }
        return nil
    }

    func bits(_ value: Value) -> UInt32 { possibleBits[value] }

    mutating func add(_ expression: Expression) -> Value {
        if let known = numbers[expression] { return known }
        expressions.append(expression)
        possibleBits.append(Self.bits(of: expression, possibleBits, expressions))
        numbers[expression] = expressions.count - 1
        return expressions.count - 1
    }

    mutating func number(_ number: UInt32) -> Value { add(.constant(number)) }

    private static func bits(
        of expression: Expression, _ known: [UInt32], _ expressions: [Expression]
    ) -> UInt32 {
        switch expression {
        case .constant(let number): return number
        case .length, .entry: return .max
        case .packet(let size, _), .indexed(let size, _, _): return size.mask
        case .headerLength: return 0x3c
        case .arithmetic(let operation, let left, let right):
            let (l, r) = (known[left], known[right])
            let amount: UInt32? =
                if case .constant(let number) = expressions[right] { number } else { nil }
            func upTo(_ highest: UInt64) -> UInt32 {
                guard highest < 1 << 32 else { return .max }
                return highest == 0 ? 0 : UInt32.max >> UInt32(UInt32(highest).leadingZeroBitCount)
            }
            switch operation {
            case .and: return l & r
            case .or, .xor: return l | r
            case .add: return upTo(UInt64(l) + UInt64(r))
            case .multiply: return upTo(l == 0 || r == 0 ? 0 : UInt64(l).multipliedOrMax(UInt64(r)))
            case .shiftLeft: return amount.map { $0 < 32 ? l << $0 : 0 } ?? .max
            case .shiftRight: return amount.map { $0 < 32 ? l >> $0 : 0 } ?? upTo(UInt64(l))
            case .divide: return upTo(UInt64(l))
            case .modulo: return upTo(UInt64(min(l, r)))
            case .subtract: return .max
            }
        }
    }

    // MARK: - Arithmetic

    /// The result in its simplest form; nil if it never has one, because it divides by zero.
    mutating func result(_ operation: ClassicArithmetic, _ left: Value, _ right: Value) -> Value? {
        if let l = constant(left), let r = constant(right) {
            guard let number = operation.result(l, r) else { return nil }
            return self.number(number)
        }
        // Constants stand on the right.
        if operation.isCommutative, constant(left) != nil { return result(operation, right, left) }
        guard let number = constant(right) else {
            if left == right {
                switch operation {
                case .subtract, .xor: return number(0)
                case .and, .or: return left
                default: break
                }
            }
            return add(.arithmetic(operation, left, right))
        }
        return result(operation, left, number)
    }

    private mutating func result(_ operation: ClassicArithmetic, _ left: Value, _ number: UInt32) -> Value? {
        switch operation {
        case .divide where number == 0, .modulo where number == 0: return nil
        case .add where number == 0, .or where number == 0, .xor where number == 0,
            .shiftLeft where number == 0, .shiftRight where number == 0,
            .multiply where number == 1, .divide where number == 1:
            return left
        case .subtract: return result(.add, left, self.number(0 &- number))
        case .multiply where number == 0, .and where number & bits(left) == 0, .modulo where number == 1:
            return self.number(0)
        case .shiftLeft where number >= 32, .shiftRight where number >= 32: return self.number(0)
        case .and where number & bits(left) == bits(left): return left
        default: break
        }
        // (v + a) + b, (v & a) & b and their like
        if case .arithmetic(operation, let inner, let middle) = self[left], let first = constant(middle) {
            switch operation {
            case .add: return result(.add, inner, self.number(first &+ number))
            case .and: return result(.and, inner, self.number(first & number))
            case .or: return result(.or, inner, self.number(first | number))
            case .xor: return result(.xor, inner, self.number(first ^ number))
            default: break
            }
        }
        let right = self.number(number)
        return add(.arithmetic(operation, left, right))
    }

    mutating func negated(_ value: Value) -> Value {
        let zero = number(0)
        return result(.subtract, zero, value) ?? value
    }

    /// The bytes at `offset` from a number; nil if no packet has them.
    mutating func indexed(_ size: ClassicSize, _ base: Value, _ offset: UInt32) -> Value? {
        if let number = constant(base) {
            let (sum, overflow) = number.addingReportingOverflow(offset)
            return overflow ? nil : add(.packet(size, sum))
        }
        // x + a at k is x at a + k, unless x + a can wrap: the machine's sum of index and offset does not.
        if case .arithmetic(.add, let inner, let middle) = self[base], let number = constant(middle),
            UInt64(bits(inner)) + UInt64(number) + UInt64(offset) <= UInt64(UInt32.max)
        {
            return indexed(size, inner, number + offset)
        }
        return add(.indexed(size, base, offset))
    }

    /// Whether evaluating it can end the program.
    func canFail(_ value: Value) -> Bool {
        switch self[value] {
        case .packet, .indexed, .headerLength: true
        case .arithmetic(.divide, _, let right), .arithmetic(.modulo, _, let right): constant(right) == nil
        case .constant, .length, .entry, .arithmetic: false
        }
    }

    func operands(_ value: Value) -> [Value] {
        switch self[value] {
        case .indexed(_, let base, _): [base]
        case .arithmetic(_, let left, let right): [left, right]
        case .constant, .length, .packet, .headerLength, .entry: []
        }
    }
}

extension UInt64 {
    fileprivate func multipliedOrMax(_ other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}

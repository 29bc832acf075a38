// SPDX-License-Identifier: Apache-2.0

// Results are sets that hold every number the machine can compute of operands in the given sets.
extension NumberSet {
    /// Pairs of listed numbers that are computed one by one.
    private static let pairs = 256

    /// The result of an arithmetic instruction on its destination's and its operand's numbers.
    ///
    /// For an immediate the operand is the sign-extended constant. What is no known instruction gives all
    /// numbers.
    public static func result(of instruction: Instruction, _ left: NumberSet, _ right: NumberSet) -> NumberSet
    {
        let is32 = instruction.opcode.instructionClass == .alu32
        guard let operation = instruction.opcode.arithmeticOperation else { return .full }
        switch operation {
        case .move:
            return right.moved(signBits: Int(instruction.offset), is32: is32)
        case .byteSwap:
            return left.swapped(instruction)
        default:
            let fromItself =
                instruction.opcode.operandKind == .register && instruction.source == instruction.destination
            // A register and itself are the same number, which no pair of sets can say.
            if fromItself, operation == .subtract || operation == .xor { return NumberSet(0) }
            if fromItself, operation == .and || operation == .or { return is32 ? left.lowHalf : left }
            return left.result(operation, right, is32: is32, isSigned: instruction.offset == 1)
        }
    }

    /// The lower half with zeros above it.
    public var lowHalf: NumberSet {
        if let members, let set = NumberSet(members.map { $0 & 0xffff_ffff }) { return set }
        return NumberSet(zeroExtended: low)
    }

    /// The result of an operation that is neither a move nor about byte order.
    public func result(
        _ operation: ArithmeticOperation, _ right: NumberSet, is32: Bool, isSigned: Bool = false
    ) -> NumberSet {
        if let own = members, let others = right.members, own.count * others.count <= Self.pairs {
            var numbers: [UInt64] = []
            for left in own {
                for right in others {
                    guard let number = Self.number(operation, left, right, is32, isSigned) else {
                        return .full
                    }
                    numbers.append(number)
                }
            }
            return NumberSet(numbers) ?? .full
        }
        if is32 {
            return NumberSet(zeroExtended: low.result(operation, right.low, isSigned: isSigned))
        }
        let whole = whole.result(operation, right.whole, isSigned: isSigned)
        let half: CircularRange<UInt32> =
            switch operation {
            case .add, .subtract, .multiply, .and, .or, .xor, .negate:
                low.result(operation, right.low, isSigned: false).range
            case .shiftLeft where (right.constant ?? 63) & 63 < 32:
                low.result(operation, right.low, isSigned: false).range
            default: .full
            }
        // Each is sound for itself, so they cannot contradict each other.
        return Self.reduced(whole.bits, whole.range, half) ?? .full
    }

    private static func number(
        _ operation: ArithmeticOperation, _ left: UInt64, _ right: UInt64, _ is32: Bool, _ isSigned: Bool
    ) -> UInt64? {
        guard is32 else { return operation.result(left, right, isSigned: isSigned) }
        let (left, right) = (UInt32(truncatingIfNeeded: left), UInt32(truncatingIfNeeded: right))
        return operation.result(left, right, isSigned: isSigned).map(UInt64.init)
    }

    private func moved(signBits: Int, is32: Bool) -> NumberSet {
        guard signBits != 0 else { return is32 ? lowHalf : self }
        guard [8, 16, 32].contains(signBits) else { return .full }
        let extended = signExtended(from: signBits)
        return is32 ? extended.lowHalf : extended
    }

    /// The lower 8, 16 or 32 bits with their sign above them.
    public func signExtended(from width: Int) -> NumberSet {
        guard width > 0, width < 64 else { return self }
        if let members,
            let set = NumberSet(
                members.map { ($0 << UInt64(64 - width)).arithmeticallyShiftedRight(64 - width) })
        {
            return set
        }
        let whole: NumberPart<UInt64>
        if width == 32 {
            // The lower half's own range says more than the whole one's.
            let (lowest, highest) = lowRange.signed
            let signed = CircularRange(
                from: UInt64(lowest).extended(from: 32), through: UInt64(highest).extended(from: 32))
            whole = NumberPart(
                bits: NumberPart(bits: bits, range: .full).signExtended(from: 32).bits, range: signed)
        } else {
            whole = self.whole.signExtended(from: width)
        }
        let half = width == 32 ? lowRange : low.signExtended(from: width).range
        return Self.reduced(whole.bits, whole.range, half) ?? .full
    }

    /// The lower bits with zeros above them.
    public func zeroExtended(from width: Int) -> NumberSet {
        if width >= 64 { return self }
        if width == 32 { return lowHalf }
        return result(.and, NumberSet(UInt64((1 << UInt64(max(width, 0))) - 1)), is32: false)
    }

    private func swapped(_ instruction: Instruction) -> NumberSet {
        let width = Int(instruction.immediate)
        guard [16, 32, 64].contains(width) else { return .full }
        let cut = zeroExtended(from: width)
        // What is stored in the host's order stays; bit 3 of the op-code is the order asked for.
        #if _endian(little)
            let isHostOrder = instruction.opcode == Opcode(.alu32, .byteSwap, .immediate)
        #else
            let isHostOrder = instruction.opcode == Opcode(.alu32, .byteSwap, .register)
        #endif
        if isHostOrder { return cut }
        if let members = cut.members,
            let set = NumberSet(members.map { $0.byteSwapped >> UInt64(64 - width) })
        {
            return set
        }
        let bits = cut.bits.byteSwapped
        let moved = width == 64 ? bits : bits.shiftedRight(64 - width)
        return Self.reduced(moved, .full, .full) ?? .full
    }
}

extension UInt64 {
    /// The lower bits with their sign above them.
    fileprivate func extended(from width: Int) -> UInt64 {
        (self << UInt64(64 - width)).arithmeticallyShiftedRight(64 - width)
    }
}

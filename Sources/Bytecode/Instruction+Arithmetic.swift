// SPDX-License-Identifier: Apache-2.0

// Factories that read like assembly: the first argument is the destination. Immediates are sign-extended to
// 64 bits; the 32-bit forms work on the lower halves and clear the upper half of the destination.
extension Instruction {
    /// Arithmetic on 64 bits with a register.
    public static func alu64(
        _ operation: ArithmeticOperation, _ destination: Register, _ source: Register
    ) -> Self {
        Instruction(Opcode(.alu64, operation, .register), destination: destination, source: source)
    }

    /// Arithmetic on 64 bits with an immediate.
    public static func alu64(
        _ operation: ArithmeticOperation, _ destination: Register, _ immediate: Int32
    ) -> Self {
        Instruction(Opcode(.alu64, operation, .immediate), destination: destination, immediate: immediate)
    }

    /// Arithmetic on 32 bits with a register.
    public static func alu32(
        _ operation: ArithmeticOperation, _ destination: Register, _ source: Register
    ) -> Self {
        Instruction(Opcode(.alu32, operation, .register), destination: destination, source: source)
    }

    /// Arithmetic on 32 bits with an immediate.
    public static func alu32(
        _ operation: ArithmeticOperation, _ destination: Register, _ immediate: Int32
    ) -> Self {
        Instruction(Opcode(.alu32, operation, .immediate), destination: destination, immediate: immediate)
    }

    /// `rD = -rD`
    public static func negate(_ destination: Register) -> Self {
        Instruction(Opcode(.alu64, .negate, .immediate), destination: destination)
    }

    /// `wD = -wD`
    public static func negate32(_ destination: Register) -> Self {
        Instruction(Opcode(.alu32, .negate, .immediate), destination: destination)
    }

    /// `rD = (sN)rS`: the lower 8, 16 or 32 bits of a register, sign-extended (kernel 6.6).
    public static func moveSigned(_ destination: Register, _ source: Register, bits: Int16) -> Self {
        Instruction(
            Opcode(.alu64, .move, .register), destination: destination, source: source, offset: bits)
    }

    /// `rD = beN rD`: the lower 16, 32 or 64 bits from host to network order or back, cleared above.
    public static func toBigEndian(_ destination: Register, bits: Int32) -> Self {
        Instruction(Opcode(.alu32, .byteSwap, .register), destination: destination, immediate: bits)
    }

    /// `rD = leN rD`: the lower 16, 32 or 64 bits from host to little-endian order or back, cleared above.
    public static func toLittleEndian(_ destination: Register, bits: Int32) -> Self {
        Instruction(Opcode(.alu32, .byteSwap, .immediate), destination: destination, immediate: bits)
    }

    /// `rD = bswapN rD`: the lower 16, 32 or 64 bits reversed byte-wise, cleared above (kernel 6.6).
    public static func byteSwap(_ destination: Register, bits: Int32) -> Self {
        Instruction(Opcode(.alu64, .byteSwap, .immediate), destination: destination, immediate: bits)
    }
}

extension Instruction {
    /// `rD = rS`
    public static func move(_ destination: Register, _ source: Register) -> Self {
        alu64(.move, destination, source)
    }

    /// `rD = immediate`
    public static func move(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.move, destination, immediate)
    }

    /// `wD = wS`
    public static func move32(_ destination: Register, _ source: Register) -> Self {
        alu32(.move, destination, source)
    }

    /// `wD = immediate`
    public static func move32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.move, destination, immediate)
    }

    /// `rD += rS`
    public static func add(_ destination: Register, _ source: Register) -> Self {
        alu64(.add, destination, source)
    }

    /// `rD += immediate`
    public static func add(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.add, destination, immediate)
    }

    /// `wD += wS`
    public static func add32(_ destination: Register, _ source: Register) -> Self {
        alu32(.add, destination, source)
    }

    /// `wD += immediate`
    public static func add32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.add, destination, immediate)
    }

    /// `rD -= rS`
    public static func subtract(_ destination: Register, _ source: Register) -> Self {
        alu64(.subtract, destination, source)
    }

    /// `rD -= immediate`
    public static func subtract(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.subtract, destination, immediate)
    }

    /// `wD -= wS`
    public static func subtract32(_ destination: Register, _ source: Register) -> Self {
        alu32(.subtract, destination, source)
    }

    /// `wD -= immediate`
    public static func subtract32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.subtract, destination, immediate)
    }

    /// `rD *= rS`
    public static func multiply(_ destination: Register, _ source: Register) -> Self {
        alu64(.multiply, destination, source)
    }

    /// `rD *= immediate`
    public static func multiply(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.multiply, destination, immediate)
    }

    /// `wD *= wS`
    public static func multiply32(_ destination: Register, _ source: Register) -> Self {
        alu32(.multiply, destination, source)
    }

    /// `wD *= immediate`
    public static func multiply32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.multiply, destination, immediate)
    }

    /// `rD /= rS`
    public static func divide(_ destination: Register, _ source: Register) -> Self {
        alu64(.divide, destination, source)
    }

    /// `rD /= immediate`
    public static func divide(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.divide, destination, immediate)
    }

    /// `wD /= wS`
    public static func divide32(_ destination: Register, _ source: Register) -> Self {
        alu32(.divide, destination, source)
    }

    /// `wD /= immediate`
    public static func divide32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.divide, destination, immediate)
    }

    /// `rD %= rS`
    public static func modulo(_ destination: Register, _ source: Register) -> Self {
        alu64(.modulo, destination, source)
    }

    /// `rD %= immediate`
    public static func modulo(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.modulo, destination, immediate)
    }

    /// `wD %= wS`
    public static func modulo32(_ destination: Register, _ source: Register) -> Self {
        alu32(.modulo, destination, source)
    }

    /// `wD %= immediate`
    public static func modulo32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.modulo, destination, immediate)
    }

    /// `rD |= rS`
    public static func or(_ destination: Register, _ source: Register) -> Self {
        alu64(.or, destination, source)
    }

    /// `rD |= immediate`
    public static func or(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.or, destination, immediate)
    }

    /// `wD |= wS`
    public static func or32(_ destination: Register, _ source: Register) -> Self {
        alu32(.or, destination, source)
    }

    /// `wD |= immediate`
    public static func or32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.or, destination, immediate)
    }

    /// `rD &= rS`
    public static func and(_ destination: Register, _ source: Register) -> Self {
        alu64(.and, destination, source)
    }

    /// `rD &= immediate`
    public static func and(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.and, destination, immediate)
    }

    /// `wD &= wS`
    public static func and32(_ destination: Register, _ source: Register) -> Self {
        alu32(.and, destination, source)
    }

    /// `wD &= immediate`
    public static func and32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.and, destination, immediate)
    }

    /// `rD ^= rS`
    public static func xor(_ destination: Register, _ source: Register) -> Self {
        alu64(.xor, destination, source)
    }

    /// `rD ^= immediate`
    public static func xor(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.xor, destination, immediate)
    }

    /// `wD ^= wS`
    public static func xor32(_ destination: Register, _ source: Register) -> Self {
        alu32(.xor, destination, source)
    }

    /// `wD ^= immediate`
    public static func xor32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.xor, destination, immediate)
    }

    /// `rD <<= rS`
    public static func shiftLeft(_ destination: Register, _ source: Register) -> Self {
        alu64(.shiftLeft, destination, source)
    }

    /// `rD <<= immediate`
    public static func shiftLeft(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.shiftLeft, destination, immediate)
    }

    /// `wD <<= wS`
    public static func shiftLeft32(_ destination: Register, _ source: Register) -> Self {
        alu32(.shiftLeft, destination, source)
    }

    /// `wD <<= immediate`
    public static func shiftLeft32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.shiftLeft, destination, immediate)
    }

    /// `rD >>= rS`
    public static func shiftRight(_ destination: Register, _ source: Register) -> Self {
        alu64(.shiftRight, destination, source)
    }

    /// `rD >>= immediate`
    public static func shiftRight(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.shiftRight, destination, immediate)
    }

    /// `wD >>= wS`
    public static func shiftRight32(_ destination: Register, _ source: Register) -> Self {
        alu32(.shiftRight, destination, source)
    }

    /// `wD >>= immediate`
    public static func shiftRight32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.shiftRight, destination, immediate)
    }

    /// `rD s>>= rS`
    public static func arithmeticShiftRight(_ destination: Register, _ source: Register) -> Self {
        alu64(.arithmeticShiftRight, destination, source)
    }

    /// `rD s>>= immediate`
    public static func arithmeticShiftRight(_ destination: Register, _ immediate: Int32) -> Self {
        alu64(.arithmeticShiftRight, destination, immediate)
    }

    /// `wD s>>= wS`
    public static func arithmeticShiftRight32(_ destination: Register, _ source: Register) -> Self {
        alu32(.arithmeticShiftRight, destination, source)
    }

    /// `wD s>>= immediate`
    public static func arithmeticShiftRight32(_ destination: Register, _ immediate: Int32) -> Self {
        alu32(.arithmeticShiftRight, destination, immediate)
    }
}

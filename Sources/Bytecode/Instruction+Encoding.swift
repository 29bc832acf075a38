// SPDX-License-Identifier: Apache-2.0

extension Instruction {
    /// The size of an encoded instruction, in bytes.
    public static let size = 8

    /// The instruction in an 8-byte word, as the kernel sees it in memory, in the host's byte order.
    public init(encoded: UInt64) {
        // As a little-endian number the first byte in memory is the lowest, on every host.
        let word = encoded.littleEndian
        let registers = UInt8(truncatingIfNeeded: word >> 8)
        let offset = UInt16(truncatingIfNeeded: word >> 16)
        let immediate = UInt32(truncatingIfNeeded: word >> 32)
        #if _endian(little)
            let (destination, source) = (registers & 0xf, registers >> 4)
        #else
            let (destination, source) = (registers >> 4, registers & 0xf)
        #endif
        self.init(
            Opcode(rawValue: UInt8(truncatingIfNeeded: word)),
            destination: Register(rawValue: destination), source: Register(rawValue: source),
            offset: Int16(bitPattern: UInt16(littleEndian: offset)),
            immediate: Int32(bitPattern: UInt32(littleEndian: immediate)))
    }

    /// The instruction as an 8-byte word that can be stored to memory as it is, in the host's byte order.
    public var encoded: UInt64 {
        #if _endian(little)
            let registers = source.rawValue << 4 | destination.rawValue
        #else
            let registers = destination.rawValue << 4 | source.rawValue
        #endif
        let low = UInt64(opcode.rawValue) | UInt64(registers) << 8
        let high =
            UInt64(UInt16(bitPattern: offset).littleEndian) << 16
            | UInt64(UInt32(bitPattern: immediate).littleEndian) << 32
        return UInt64(littleEndian: low | high)
    }

    /// The eight bytes of the instruction, in the host's byte order.
    public var bytes: [UInt8] {
        withUnsafeBytes(of: encoded) { Array($0) }
    }

    /// The instructions in bytes that are in the host's byte order.
    ///
    /// Every byte pattern is an instruction; ``ProgramLayout`` tells whether they are a program.
    /// Throws ``BytecodeError`` if the number of bytes is not a multiple of eight.
    public static func decode(_ bytes: [UInt8]) throws(BytecodeError) -> [Instruction] {
        guard bytes.count.isMultiple(of: size) else {
            throw BytecodeError(.truncated(bytes: bytes.count))
        }
        return bytes.withUnsafeBytes { buffer in
            (0..<buffer.count / size).map { index in
                Instruction(encoded: buffer.loadUnaligned(fromByteOffset: index * size, as: UInt64.self))
            }
        }
    }

    /// The bytes of instructions, in the host's byte order.
    public static func encode(_ instructions: [Instruction]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(instructions.count * size)
        for instruction in instructions {
            withUnsafeBytes(of: instruction.encoded) { bytes.append(contentsOf: $0) }
        }
        return bytes
    }
}

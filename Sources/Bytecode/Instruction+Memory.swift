// SPDX-License-Identifier: Apache-2.0

// Loads name the destination first, stores what is stored; offsets are in bytes.
extension Instruction {
    /// `rD = *(size *)(rA + offset)`, cleared above the size.
    public static func load(
        _ size: MemorySize, _ destination: Register, from address: Register, offset: Int16 = 0
    ) -> Self {
        Instruction(Opcode(.ldx, size, .memory), destination: destination, source: address, offset: offset)
    }

    /// `rD = *(signed size *)(rA + offset)`, sign-extended; not for double words (kernel 6.6).
    public static func loadSigned(
        _ size: MemorySize, _ destination: Register, from address: Register, offset: Int16 = 0
    ) -> Self {
        Instruction(
            Opcode(.ldx, size, .signedMemory), destination: destination, source: address, offset: offset)
    }

    /// `*(size *)(rA + offset) = rS`
    public static func store(
        _ size: MemorySize, _ source: Register, to address: Register, offset: Int16 = 0
    ) -> Self {
        Instruction(Opcode(.stx, size, .memory), destination: address, source: source, offset: offset)
    }

    /// `*(size *)(rA + offset) = immediate`; sign-extended for double words.
    public static func storeImmediate(
        _ size: MemorySize, _ immediate: Int32, to address: Register, offset: Int16 = 0
    ) -> Self {
        Instruction(Opcode(.st, size, .memory), destination: address, offset: offset, immediate: immediate)
    }

    /// An atomic operation on `*(size *)(rA + offset)` with rS; the size is a word or a double word.
    public static func atomic(
        _ operation: AtomicOperation, _ size: MemorySize, _ source: Register, to address: Register,
        offset: Int16 = 0
    ) -> Self {
        Instruction(
            Opcode(.stx, size, .atomic), destination: address, source: source, offset: offset,
            immediate: operation.rawValue)
    }

    /// `lock *(size *)(rA + offset) += rS`; the size is a word or a double word.
    public static func atomicAdd(
        _ size: MemorySize, _ source: Register, to address: Register, offset: Int16 = 0
    ) -> Self {
        atomic(.add, size, source, to: address, offset: offset)
    }
}

// Immediates of 64 bits take two instructions.
extension Instruction {
    /// A 64-bit immediate load of any kind, from the immediates of its two halves.
    public static func wide(
        _ kind: WideKind, _ destination: Register, _ first: Int32, _ second: Int32 = 0
    ) -> [Instruction] {
        [
            Instruction(
                .loadImmediate64, destination: destination, source: Register(rawValue: kind.marker),
                immediate: first),
            Instruction(Opcode(rawValue: 0), immediate: second),
        ]
    }

    /// `rD = value`, over all 64 bits.
    public static func loadImmediate64(_ destination: Register, _ value: UInt64) -> [Instruction] {
        wide(
            .plain, destination, Int32(truncatingIfNeeded: value), Int32(truncatingIfNeeded: value >> 32))
    }

    /// rD = the map at this place in the descriptor array given to the load (kernel 5.14).
    public static func loadMap(_ destination: Register, index: Int32) -> [Instruction] {
        wide(.mapIndex, destination, index)
    }

    /// rD = the address `offset` bytes into the only value of the map at this place in the descriptor array
    /// given to the load (kernel 5.14).
    public static func loadMapValue(
        _ destination: Register, index: Int32, offset: Int32
    ) -> [Instruction] {
        wide(.mapIndexValue, destination, index, offset)
    }

    /// rD = the map with this file descriptor.
    public static func loadMap(_ destination: Register, descriptor: Int32) -> [Instruction] {
        wide(.mapDescriptor, destination, descriptor)
    }

    /// rD = the address `offset` bytes into the only value of the map with this file descriptor (kernel 5.2).
    public static func loadMapValue(
        _ destination: Register, descriptor: Int32, offset: Int32
    ) -> [Instruction] {
        wide(.mapValue, destination, descriptor, offset)
    }

    /// rD = the address of the subprogram that starts `relative` instructions after the load's first half,
    /// plus one (kernel 5.13).
    public static func loadFunction(_ destination: Register, relative: Int32) -> [Instruction] {
        wide(.function, destination, relative)
    }
}

// SPDX-License-Identifier: Apache-2.0

/// One 8-byte BPF instruction (struct bpf_insn, linux/bpf.h), in the host's byte order.
///
/// | byte | field |
/// |---|---|
/// | 0 | op-code |
/// | 1 | destination and source register, four bits each: on a little-endian host the destination is the low half, on a big-endian one the high half |
/// | 2–3 | offset, signed |
/// | 4–7 | immediate, signed |
///
/// A 64-bit immediate load takes two: ``isWide`` is true for the first, the second holds nothing but the
/// upper 32 bits in its immediate.
public struct Instruction: Hashable, Sendable {
    /// What to do.
    public var opcode: Opcode
    /// The register that is changed, compared, or holds the address of a store.
    public var destination: Register
    /// The other operand, the address of a load, or a pseudo marker.
    public var source: Register
    /// A distance of a jump in instructions, or an offset of a memory access in bytes.
    public var offset: Int16
    /// The constant operand.
    public var immediate: Int32

    /// An instruction from its five fields; what is left out is zero.
    public init(
        _ opcode: Opcode, destination: Register = .r0, source: Register = .r0, offset: Int16 = 0,
        immediate: Int32 = 0
    ) {
        self.opcode = opcode
        self.destination = destination
        self.source = source
        self.offset = offset
        self.immediate = immediate
    }
}

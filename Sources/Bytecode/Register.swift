// SPDX-License-Identifier: Apache-2.0

/// One of the BPF machine's registers, r0 to r10.
///
/// Four bits in the encoding (struct bpf_insn, linux/bpf.h), so raw values up to 15 are representable:
/// the source field of a call or of a 64-bit load holds a pseudo marker instead of a register.
public struct Register: RawRepresentable, Hashable, Sendable {
    /// The register's number; only the low four bits can be encoded.
    public let rawValue: UInt8

    /// The register, or pseudo marker, with a number from 0 to 15; higher bits are cut off.
    public init(rawValue: UInt8) {
        self.rawValue = rawValue & 0xf
    }

    /// The return value of a call and of the program.
    public static let r0 = Register(rawValue: 0)
    /// The first argument of a call; the context on entry of a program.
    public static let r1 = Register(rawValue: 1)
    /// The second argument of a call.
    public static let r2 = Register(rawValue: 2)
    /// The third argument of a call.
    public static let r3 = Register(rawValue: 3)
    /// The fourth argument of a call.
    public static let r4 = Register(rawValue: 4)
    /// The fifth argument of a call.
    public static let r5 = Register(rawValue: 5)
    /// Preserved over a call.
    public static let r6 = Register(rawValue: 6)
    /// Preserved over a call.
    public static let r7 = Register(rawValue: 7)
    /// Preserved over a call.
    public static let r8 = Register(rawValue: 8)
    /// Preserved over a call.
    public static let r9 = Register(rawValue: 9)
    /// The frame pointer, read-only.
    public static let r10 = Register(rawValue: 10)
    /// The read-only pointer to the top of the 512-byte stack frame: r10.
    public static let framePointer = r10

    /// Whether this is a register that programs can name, not a pseudo marker.
    public var exists: Bool { rawValue <= 10 }
}

extension Register: CustomStringConvertible {
    /// The name of the 64-bit register, such as `r1`.
    public var description: String { "r\(rawValue)" }

    /// The name of the register's lower half, such as `w1`.
    public var lowerHalfName: String { "w\(rawValue)" }
}

// SPDX-License-Identifier: Apache-2.0

/// What a register can hold, as far as it matters for the stack: a frame address, a number, or either.
struct FrameValue: Hashable {
    /// The lowest frame address it can be, in bytes from the frame pointer; nil if it is none.
    var frame: Int?
    /// The number it can be is less than two to this power; 64 if nothing is known.
    var bits: Int

    /// Anything but a frame address.
    static let unknown = FrameValue(frame: nil, bits: 64)

    /// A frame address and nothing else.
    static func address(_ offset: Int) -> Self { FrameValue(frame: offset, bits: 0) }

    /// A number below two to the power.
    static func number(bits: Int) -> Self { FrameValue(frame: nil, bits: min(max(bits, 0), 64)) }

    /// A constant, as a 64-bit operand.
    static func constant(_ value: Int64) -> Self { .number(bits: 64 - value.leadingZeroBitCount) }

    /// Whether it is a frame address in every case.
    var isAddress: Bool { frame != nil && bits == 0 }

    /// Whether adding it as a number cannot lower an address.
    var isNotNegative: Bool { bits < 64 }

    /// What is either.
    func joined(_ other: Self) -> Self {
        let lowest =
            switch (frame, other.frame) {
            case (let own?, let their?): min(own, their)
            case (let own, let their): own ?? their
            }
        return FrameValue(frame: lowest, bits: max(bits, other.bits))
    }
}

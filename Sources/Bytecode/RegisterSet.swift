// SPDX-License-Identifier: Apache-2.0

/// A set of registers.
public struct RegisterSet: OptionSet, Hashable, Sendable {
    /// Bit n stands for rn.
    public let rawValue: UInt16

    /// The set whose bit n stands for rn.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The set of one register.
    public init(_ register: Register) {
        self.init(rawValue: 1 << UInt16(register.rawValue & 0xf))
    }

    /// What a call overwrites: its result r0 and the arguments r1 to r5.
    public static let callerSaved = RegisterSet(rawValue: 0b11_1111)

    /// Whether a register is in the set.
    public func contains(_ register: Register) -> Bool {
        contains(RegisterSet(register))
    }

    /// The registers in the set, lowest number first.
    public var registers: [Register] {
        (0..<16).filter { rawValue >> $0 & 1 == 1 }.map(Register.init(rawValue:))
    }
}

extension RegisterSet: CustomStringConvertible {
    /// The names of the registers, such as `{r1, r6}`.
    public var description: String {
        "{\(registers.map(\.description).joined(separator: ", "))}"
    }
}

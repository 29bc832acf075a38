// SPDX-License-Identifier: Apache-2.0

/// An instruction of the machine that libpcap compiles for (`struct bpf_insn` of pcap/bpf.h; Documentation/networking/filter.rst of
/// Linux): an accumulator A, an index X, sixteen words of memory, and loads from the packet in network byte order.
public struct ClassicInstruction: Sendable, Hashable {
    public var code: UInt16
    /// Instructions to skip if a condition holds, and if not.
    public var ifTrue: UInt8
    public var ifFalse: UInt8
    public var operand: UInt32

    public init(code: UInt16, ifTrue: UInt8 = 0, ifFalse: UInt8 = 0, operand: UInt32 = 0) {
        self.code = code
        self.ifTrue = ifTrue
        self.ifFalse = ifFalse
        self.operand = operand
    }
}

/// A filter expression as libpcap compiled it for Ethernet, without its optimiser, which is wrong for some expressions.
///
/// A packet matches if the program returns anything but 0. A load of which a byte lies behind the end of the packet returns 0
/// at once, and so does a division by zero.
public struct ClassicProgram: Sendable, Hashable {
    /// As it was typed; empty matches every packet.
    public var expression: String
    public var instructions: [ClassicInstruction]

    public init(expression: String, instructions: [ClassicInstruction]) {
        self.expression = expression
        self.instructions = instructions
    }
}

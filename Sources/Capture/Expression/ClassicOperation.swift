// SPDX-License-Identifier: Apache-2.0

/// What an instruction of libpcap's machine does, without its op-code.
enum ClassicOperation: Hashable, Sendable {
    /// `ld #k`, `ldx #k`
    case constant(ClassicRegister, UInt32)
    /// `ld [k]`, and with the index `ld [x + k]`, in one of three sizes, to A
    case packet(ClassicSize, offset: UInt32, isIndexed: Bool)
    /// `ldxb 4*([k]&0xf)`: the length of an IPv4 header, to X
    case headerLength(UInt32)
    /// `ld #pktlen`, `ldx #pktlen`
    case length(ClassicRegister)
    case load(ClassicRegister, memory: Int)
    case store(ClassicRegister, memory: Int)
    case arithmetic(ClassicArithmetic, ClassicOperand)
    case negate
    case copyToIndex
    case copyToAccumulator
    /// `ja`, over so many instructions; backwards if negative
    case goto(Int32)
    case branch(ClassicCondition, ClassicOperand)
    case returnConstant(UInt32)
    case returnAccumulator
}

enum ClassicRegister: UInt16, Hashable, Sendable {
    case accumulator, index
}

/// Bytes of a load from the packet.
enum ClassicSize: UInt16, Hashable, Sendable {
    case byte = 1
    case half = 2
    case word = 4

    var bytes: UInt32 { UInt32(rawValue) }
    var mask: UInt32 { self == .word ? .max : UInt32(1) << (8 * bytes) - 1 }
}

enum ClassicOperand: Hashable, Sendable {
    case constant(UInt32)
    case index
}

/// Raw values are those of BPF_OP (linux/bpf_common.h).
enum ClassicArithmetic: UInt16, Hashable, Sendable, CaseIterable {
    case add = 0x00
    case subtract = 0x10
    case multiply = 0x20
    case divide = 0x30
    case or = 0x40
    case and = 0x50
    case shiftLeft = 0x60
    case shiftRight = 0x70
    case modulo = 0x90
    case xor = 0xa0

    var isCommutative: Bool {
        switch self {
        case .add, .multiply, .or, .and, .xor: true
        case .subtract, .divide, .shiftLeft, .shiftRight, .modulo: false
        }
    }

    /// As libpcap's interpreter calculates; nil where it gives up the packet.
    func result(_ left: UInt32, _ right: UInt32) -> UInt32? {
        switch self {
        case .add: left &+ right
        case .subtract: left &- right
        case .multiply: left &* right
        case .divide: right == 0 ? nil : left / right
        case .modulo: right == 0 ? nil : left % right
        case .or: left | right
        case .and: left & right
        case .xor: left ^ right
        case .shiftLeft: right < 32 ? left << right : 0
        case .shiftRight: right < 32 ? left >> right : 0
        }
    }
}

/// Raw values are those of BPF_OP (linux/bpf_common.h).
enum ClassicCondition: UInt16, Hashable, Sendable {
    case equal = 0x10
    case greater = 0x20
    case greaterOrEqual = 0x30
    case anyBitSet = 0x40

    func holds(_ left: UInt32, _ right: UInt32) -> Bool {
        switch self {
        case .equal: left == right
        case .greater: left > right
        case .greaterOrEqual: left >= right
        case .anyBitSet: left & right != 0
        }
    }
}

// Op-codes are put together as in linux/bpf_common.h: class, size and mode of loads, operation and source of the others.
extension ClassicOperation {
    private enum Class {
        static let load: UInt16 = 0
        static let loadIndex: UInt16 = 1
        static let store: UInt16 = 2
        static let storeIndex: UInt16 = 3
        static let arithmetic: UInt16 = 4
        static let jump: UInt16 = 5
        static let result: UInt16 = 6
        static let other: UInt16 = 7
    }

    private enum Mode {
        static let constant: UInt16 = 0x00
        static let absolute: UInt16 = 0x20
        static let indirect: UInt16 = 0x40
        static let memory: UInt16 = 0x60
        static let length: UInt16 = 0x80
        static let headerLength: UInt16 = 0xa0
    }

    private static let fromIndex: UInt16 = 0x08
    private static let fromAccumulator: UInt16 = 0x10
    private static let negation: UInt16 = 0x80
    private static let toAccumulator: UInt16 = 0x80

    /// nil if there is no such instruction, whatever its operand.
    init?(_ instruction: ClassicInstruction) {
        let code = instruction.code
        let operand = instruction.operand
        guard code <= 0xff else { return nil }
        let source: ClassicOperand = code & Self.fromIndex == 0 ? .constant(operand) : .index
        switch code & 7 {
        case Class.load:
            switch code & 0xf8 {
            case Mode.constant: self = .constant(.accumulator, operand)
            case Mode.memory: self = .load(.accumulator, memory: Int(operand))
            case Mode.length: self = .length(.accumulator)
            default:
                guard let size = Self.size(of: code) else { return nil }
                switch code & 0xe0 {
                case Mode.absolute: self = .packet(size, offset: operand, isIndexed: false)
                case Mode.indirect: self = .packet(size, offset: operand, isIndexed: true)
                default: return nil
                }
            }
        case Class.loadIndex:
            switch code & 0xf8 {
            case Mode.constant: self = .constant(.index, operand)
            case Mode.memory: self = .load(.index, memory: Int(operand))
            case Mode.length: self = .length(.index)
            case Mode.headerLength | 0x10: self = .headerLength(operand)
            default: return nil
            }
        case Class.store where code == Class.store: self = .store(.accumulator, memory: Int(operand))
        case Class.storeIndex where code == Class.storeIndex: self = .store(.index, memory: Int(operand))
        case Class.arithmetic:
            if code == Class.arithmetic | Self.negation {
                self = .negate
            } else {
                guard let operation = ClassicArithmetic(rawValue: code & 0xf0) else { return nil }
                self = .arithmetic(operation, source)
            }
        case Class.jump:
            if code == Class.jump {
                self = .goto(Int32(bitPattern: operand))
            } else {
                guard let condition = ClassicCondition(rawValue: code & 0xf0) else { return nil }
                self = .branch(condition, source)
            }
        case Class.result where code == Class.result: self = .returnConstant(operand)
        case Class.result where code == Class.result | Self.fromAccumulator: self = .returnAccumulator
        case Class.other where code == Class.other: self = .copyToIndex
        case Class.other where code == Class.other | Self.toAccumulator: self = .copyToAccumulator
        default: return nil
        }
    }

    private static func size(of code: UInt16) -> ClassicSize? {
        switch code & 0x18 {
        case 0x00: .word
        case 0x08: .half
        case 0x10: .byte
        default: nil
        }
    }

    /// The instruction; a branch's distances are 0.
    var instruction: ClassicInstruction {
        func make(_ code: UInt16, _ operand: UInt32 = 0) -> ClassicInstruction {
            ClassicInstruction(code: code, operand: operand)
        }
        func load(_ register: ClassicRegister) -> UInt16 {
            register == .accumulator ? Class.load : Class.loadIndex
        }
        switch self {
        case .constant(let register, let value): return make(load(register) | Mode.constant, value)
        case .packet(let size, let offset, let isIndexed):
            let bits: UInt16 = size == .word ? 0x00 : size == .half ? 0x08 : 0x10
            return make(Class.load | bits | (isIndexed ? Mode.indirect : Mode.absolute), offset)
        case .headerLength(let offset): return make(Class.loadIndex | Mode.headerLength | 0x10, offset)
        case .length(let register): return make(load(register) | Mode.length)
        case .load(let register, let place): return make(load(register) | Mode.memory, UInt32(place))
        case .store(let register, let place):
            return make(register == .accumulator ? Class.store : Class.storeIndex, UInt32(place))
        case .arithmetic(let operation, .constant(let value)):
            return make(Class.arithmetic | operation.rawValue, value)
        case .arithmetic(let operation, .index):
            return make(Class.arithmetic | operation.rawValue | Self.fromIndex)
        case .negate: return make(Class.arithmetic | Self.negation)
        case .copyToIndex: return make(Class.other)
        case .copyToAccumulator: return make(Class.other | Self.toAccumulator)
        case .goto(let distance): return make(Class.jump, UInt32(bitPattern: distance))
        case .branch(let condition, .constant(let value)):
            return make(Class.jump | condition.rawValue, value)
        case .branch(let condition, .index):
            return make(Class.jump | condition.rawValue | Self.fromIndex)
        case .returnConstant(let value): return make(Class.result, value)
        case .returnAccumulator: return make(Class.result | Self.fromAccumulator)
        }
    }
}

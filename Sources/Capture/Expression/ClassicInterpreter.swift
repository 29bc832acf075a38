// SPDX-License-Identifier: Apache-2.0

extension ClassicProgram {
    /// Whether a packet matches, as libpcap's interpreter has it: for packets that are in a file.
    ///
    /// - Parameters:
    ///   - bytes: what was captured of the packet; nothing else can be loaded.
    ///   - length: of the whole packet, which an expression can ask for.
    public func matches(_ bytes: [UInt8], length: Int) -> Bool {
        guard !instructions.isEmpty else { return true }
        var machine = ClassicMachine(packet: bytes, length: UInt32(clamping: length))
        return (machine.run(instructions) ?? 0) != 0
    }
}

/// The machine of Documentation/networking/filter.rst: A, X, sixteen words. `protochain` makes loops, from header to header; of those
/// there are not many.
///
/// | Bits of a code | Meaning |
/// |---|---|
/// | 0–2 | class: 0 load A, 1 load X, 2 store A, 3 store X, 4 arithmetic, 5 jump, 6 return, 7 move |
/// | 3–4 | of loads the size: 0 word, 1 half, 2 byte |
/// | 5–7 | of loads where from: 0 operand, 1 packet, 2 packet behind X, 3 memory, 4 length, 5 four times the lower half of a byte |
/// | 3 | of arithmetic and jumps: operand 0, X 1; of returns bit 4: A |
/// | 4–7 | the operation |
private struct ClassicMachine {
    /// More than any loop over the headers of a packet takes.
    private static let mostSteps = 1 << 20

    let packet: [UInt8]
    let length: UInt32
    var a: UInt32 = 0
    var x: UInt32 = 0
    var memory = [UInt32](repeating: 0, count: 16)

    init(packet: [UInt8], length: UInt32) {
        self.packet = packet
        self.length = length
    }

    /// What the program returns; nil for a load outside of the packet, a division by zero, and what is no program.
    mutating func run(_ instructions: [ClassicInstruction]) -> UInt32? {
        var counter = 0
        var steps = 0
        while instructions.indices.contains(counter), steps < Self.mostSteps {
            steps += 1
            let instruction = instructions[counter]
            let operand = instruction.operand
            counter += 1
            switch instruction.code & 7 {
            case 0, 1:
                guard let value = load(instruction.code, operand) else { return nil }
                if instruction.code & 7 == 0 { a = value } else { x = value }
            case 2, 3:
                guard operand < 16 else { return nil }
                memory[Int(operand)] = instruction.code & 7 == 2 ? a : x
            case 4:
                guard let value = calculate(instruction.code, instruction.code & 8 != 0 ? x : operand) else {
                    return nil
                }
                a = value
            case 5:
                guard instruction.code & 0xf0 != 0 else {
                    counter += Int(Int32(bitPattern: operand))
                    continue
                }
                let isTrue = compare(instruction.code, instruction.code & 8 != 0 ? x : operand)
                counter += Int(isTrue ? instruction.ifTrue : instruction.ifFalse)
            case 6: return instruction.code & 0x18 == 0x10 ? a : operand
            default: if instruction.code & 0xf8 == 0x80 { a = x } else { x = a }
            }
        }
        return nil
    }

    private func load(_ code: UInt16, _ operand: UInt32) -> UInt32? {
        switch code >> 5 & 7 {
        case 0: return operand
        case 1: return bytes(at: UInt64(operand), size(code))
        // As libpcap does, the sum is not cut to 32 bits.
        case 2: return bytes(at: UInt64(operand) + UInt64(x), size(code))
        case 3: return operand < 16 ? memory[Int(operand)] : nil
        case 4: return length
        case 5: return bytes(at: UInt64(operand), 1).map { ($0 & 0xf) << 2 }
        default: return nil
        }
    }

    private func size(_ code: UInt16) -> Int {
        switch code & 0x18 {
        case 0x00: 4
        case 0x08: 2
        default: 1
        }
    }

    private func bytes(at offset: UInt64, _ count: Int) -> UInt32? {
        guard packet.count >= count, offset <= UInt64(packet.count - count) else { return nil }
        return packet[Int(offset)..<(Int(offset) + count)].reduce(0) { $0 << 8 | UInt32($1) }
    }

    private func calculate(_ code: UInt16, _ value: UInt32) -> UInt32? {
        switch code & 0xf0 {
        case 0x00: a &+ value
        case 0x10: a &- value
        case 0x20: a &* value
        case 0x30: value == 0 ? nil : a / value
        case 0x40: a | value
        case 0x50: a & value
        case 0x60: value < 32 ? a << value : 0
        case 0x70: value < 32 ? a >> value : 0
        case 0x80: 0 &- a
        case 0x90: value == 0 ? nil : a % value
        case 0xa0: a ^ value
        default: nil
        }
    }

    private func compare(_ code: UInt16, _ value: UInt32) -> Bool {
        switch code & 0xf0 {
        case 0x10: a == value
        case 0x20: a > value
        case 0x30: a >= value
        case 0x40: a & value != 0
        default: false
        }
    }
}

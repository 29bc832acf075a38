// SPDX-License-Identifier: Apache-2.0

extension ClassicProgram {
    /// One instruction a line, as `tcpdump -d` prints them.
    public var text: String {
        instructions.indices.map(line).joined(separator: "\n")
    }

    private func line(_ index: Int) -> String {
        let instruction = instructions[index]
        let number = String(index)
        let head = "(" + String(repeating: "0", count: max(3 - number.count, 0)) + number + ") "
        guard let operation = ClassicOperation(instruction) else { return head + "unimp" }
        var (name, operand) = Self.words(operation)
        switch operation {
        case .goto(let distance): operand = String(index + 1 + Int(distance))
        case .branch:
            let yes = index + 1 + Int(instruction.ifTrue)
            let no = index + 1 + Int(instruction.ifFalse)
            return head + Self.padded(name, 8) + " " + Self.padded(operand, 16) + " jt \(yes)\tjf \(no)"
        default: break
        }
        return head + Self.padded(name, 8) + " " + operand
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 0))
    }

    private static func words(_ operation: ClassicOperation) -> (String, String) {
        func hexadecimal(_ value: UInt32) -> String { "#0x" + String(value, radix: 16) }
        func load(_ register: ClassicRegister) -> String { register == .accumulator ? "ld" : "ldx" }
        switch operation {
        case .constant(let register, let value): return (load(register), hexadecimal(value))
        case .packet(let size, let offset, let isIndexed):
            let name = size == .word ? "ld" : size == .half ? "ldh" : "ldb"
            // libpcap prints offsets as signed numbers.
            let text = String(Int32(bitPattern: offset))
            return (name, isIndexed ? "[x + \(text)]" : "[\(text)]")
        case .headerLength(let offset): return ("ldxb", "4*([\(Int32(bitPattern: offset))]&0xf)")
        case .length(let register): return (load(register), "#pktlen")
        case .load(let register, let place): return (load(register), "M[\(place)]")
        case .store(let register, let place): return (register == .accumulator ? "st" : "stx", "M[\(place)]")
        case .arithmetic(let operation, let operand):
            let name =
                switch operation {
                case .add: "add"
                case .subtract: "sub"
                case .multiply: "mul"
                case .divide: "div"
                case .modulo: "mod"
                case .or: "or"
                case .and: "and"
                case .xor: "xor"
                case .shiftLeft: "lsh"
                case .shiftRight: "rsh"
                }
            guard case .constant(let value) = operand else { return (name, "x") }
            switch operation {
            case .or, .and, .xor: return (name, hexadecimal(value))
            default: return (name, "#\(Int32(bitPattern: value))")
            }
        case .negate: return ("neg", "")
        case .copyToIndex: return ("tax", "")
        case .copyToAccumulator: return ("txa", "")
        case .goto: return ("ja", "")
        case .branch(let condition, let operand):
            let name =
                switch condition {
                case .equal: "jeq"
                case .greater: "jgt"
                case .greaterOrEqual: "jge"
                case .anyBitSet: "jset"
                }
            if case .constant(let value) = operand { return (name, hexadecimal(value)) }
            return (name, "x")
        case .returnConstant(let value): return ("ret", "#\(Int32(bitPattern: value))")
        case .returnAccumulator: return ("ret", "")
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

extension Instruction: CustomStringConvertible {
    /// The instruction in the notation of the kernel's verifier and of bpftool (kernel/bpf/disasm.c).
    ///
    /// Of a 64-bit immediate load only the first half is known here; ``listing(_:)`` shows both.
    public var description: String {
        switch opcode.instructionClass {
        case .alu32, .alu64: arithmeticText
        case .jump, .jump32: jumpText
        case .ldx: loadText
        case .st, .stx: storeText
        case .ld: legacyLoadText
        }
    }

    /// A program as in the verifier's log: a line per instruction, "index: (op-code) text".
    public static func listing(_ instructions: [Instruction]) -> [String] {
        var lines: [String] = []
        var index = 0
        while index < instructions.count {
            let instruction = instructions[index]
            var text = instruction.description
            if instruction.isWide, index + 1 < instructions.count {
                text = instruction.wideText(upper: instructions[index + 1].immediate)
            }
            lines.append("\(index): (\(instruction.opcode)) \(text)")
            index += instruction.slots
        }
        return lines
    }

    private var arithmeticText: String {
        guard let operation = opcode.arithmeticOperation else { return unknownText }
        let is64 = opcode.instructionClass == .alu64
        let left = name(destination, wide: is64)
        let fromRegister = opcode.operandKind == .register
        switch operation {
        case .negate:
            return "\(left) = -\(left)"
        case .byteSwap:
            let swap = is64 ? "bswap" : fromRegister ? "be" : "le"
            return "\(destination) = \(swap)\(immediate) \(destination)"
        case .move where fromRegister && is64 && offset == 1:
            // BPF_ADDR_SPACE_CAST: the address spaces are the halves of the immediate.
            let spaces = UInt32(bitPattern: immediate)
            return "\(left) = addr_space_cast(\(source), \(spaces >> 16), \(spaces & 0xffff))"
        case .move where fromRegister && is64 && offset == -1:
            return "\(left) = &(void __percpu *)(\(source))"
        default:
            break
        }
        let signed = (operation == .divide || operation == .modulo) && offset == 1
        let sign = (signed ? "s" : "") + operation.sign
        guard fromRegister else { return "\(left) \(sign) \(immediate)" }
        let extending = operation == .move && [8, 16, 32].contains(offset)
        return "\(left) \(sign) \(extending ? "(s\(offset))" : "")\(name(source, wide: is64))"
    }

    private var jumpText: String {
        if isExit { return "exit" }
        if isCall { return isSubprogramCall ? "call pc\(signed(immediate))" : "call \(callee)" }
        switch opcode {
        case .jump: return "goto pc\(signed(offset))"
        case .longJump: return "gotol pc\(signed(immediate))"
        case .mayGoto: return "may_goto pc\(signed(offset))"
        case .indirectJump: return "gotox \(destination)"
        default: break
        }
        guard let condition else { return unknownText }
        let is64 = opcode.instructionClass == .jump
        let right = opcode.operandKind == .register ? name(source, wide: is64) : hex(immediate)
        return "if \(name(destination, wide: is64)) \(condition.sign) \(right) goto pc\(signed(offset))"
    }

    private var callee: String {
        isKernelFunctionCall ? "kernel-function#\(immediate)" : "\(immediate)"
    }

    private var loadText: String {
        guard let size = opcode.size else { return unknownText }
        switch opcode.mode {
        case .memory: return "\(destination) = *(u\(size.bits) *)\(address(source))"
        case .signedMemory: return "\(destination) = *(s\(size.bits) *)\(address(source))"
        default: return unknownText
        }
    }

    private var storeText: String {
        guard let size = opcode.size else { return unknownText }
        if let atomicOperation { return atomicText(atomicOperation, size) }
        guard opcode.mode == .memory else { return unknownText }
        let value = opcode.instructionClass == .st ? "\(immediate)" : "\(source)"
        return "*(u\(size.bits) *)\(address(destination)) = \(value)"
    }

    private func atomicText(_ operation: AtomicOperation, _ size: MemorySize) -> String {
        let memory = "(u\(size.bits) *)\(address(destination))"
        let suffix = size == .doubleWord ? "64" : ""
        switch operation {
        case .add: return "lock *\(memory) += \(source)"
        case .or: return "lock *\(memory) |= \(source)"
        case .and: return "lock *\(memory) &= \(source)"
        case .xor: return "lock *\(memory) ^= \(source)"
        case .fetchAdd: return "\(source) = atomic\(suffix)_fetch_add(\(memory), \(source))"
        case .fetchOr: return "\(source) = atomic\(suffix)_fetch_or(\(memory), \(source))"
        case .fetchAnd: return "\(source) = atomic\(suffix)_fetch_and(\(memory), \(source))"
        case .fetchXor: return "\(source) = atomic\(suffix)_fetch_xor(\(memory), \(source))"
        case .exchange: return "\(source) = atomic\(suffix)_xchg(\(memory), \(source))"
        case .compareExchange: return "r0 = atomic\(suffix)_cmpxchg(\(memory), r0, \(source))"
        case .loadAcquire: return "\(destination) = load_acquire((u\(size.bits) *)\(address(source)))"
        case .storeRelease: return "store_release(\(memory), \(source))"
        default: return unknownText
        }
    }

    private var legacyLoadText: String {
        guard let size = opcode.size else { return unknownText }
        switch opcode.mode {
        case .absolute: return "r0 = *(u\(size.bits) *)skb[\(immediate)]"
        case .indirect: return "r0 = *(u\(size.bits) *)skb[\(source) + \(immediate)]"
        case .immediate where isWide: return wideText(upper: 0)
        default: return unknownText
        }
    }

    private func wideText(upper: Int32) -> String {
        let right =
            switch wideKind {
            case .mapDescriptor: "map[fd:\(immediate)]"
            case .mapValue: "map[fd:\(immediate)][0]\(signed(upper))"
            case .btfID: "btf[id:\(immediate)]"
            case .function: "subprog[\(signed(immediate))]"
            case .mapIndex: "map[idx:\(immediate)]"
            case .mapIndexValue: "map[idx:\(immediate)][0]\(signed(upper))"
            case .plain, .unknown, nil:
                hex(UInt64(UInt32(bitPattern: upper)) << 32 | UInt64(UInt32(bitPattern: immediate)))
            }
        return "\(destination) = \(right)"
    }

    private var unknownText: String { "unknown 0x\(opcode)" }

    private func name(_ register: Register, wide: Bool) -> String {
        wide ? register.description : register.lowerHalfName
    }

    private func address(_ register: Register) -> String { "(\(register) \(signed(offset)))" }

    private func signed(_ number: some FixedWidthInteger) -> String {
        number < 0 ? "\(number)" : "+\(number)"
    }

    private func hex(_ number: Int32) -> String { hex(UInt64(UInt32(bitPattern: number))) }

    private func hex(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}

extension ArithmeticOperation {
    /// The sign in the notation of the kernel's verifier; negation and byte order have their own forms.
    fileprivate var sign: String {
        switch self {
        case .add: "+="
        case .subtract: "-="
        case .multiply: "*="
        case .divide: "/="
        case .or: "|="
        case .and: "&="
        case .shiftLeft: "<<="
        case .shiftRight: ">>="
        case .negate: "neg"
        case .modulo: "%="
        case .xor: "^="
        case .move: "="
        case .arithmeticShiftRight: "s>>="
        case .byteSwap: "endian"
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import XDP

extension ClassicProgram {
    /// Instructions beyond which an expression is refused before any work is put into it.
    static let instructionLimit = 65_536
    /// Words of memory of libpcap's machine (BPF_MEMWORDS).
    static let memoryWords = 16

    /// Throws unless every instruction is known, every jump leads forwards and stays inside, memory is written before it is read,
    /// and the end is always reached: nobody has to trust where the instructions come from.
    public func check() throws(XDPError) {
        guard let (index, reason) = firstMistake() else { return }
        guard index < Self.instructionLimit else {
            throw XDPError(
                .refused, "the expression '\(Self.shortened(expression))' cannot be used",
                because:
                    "it takes \(instructions.count) instructions, and the limit is \(Self.instructionLimit)",
                remedy: Self.lengthRemedy)
        }
        if reason == Self.neverWritten {
            // libpcap remembers where the inner packet begins, on the way on which there is one.
            throw XDPError(
                .refused, "the expression '\(Self.shortened(expression))' cannot be used",
                because: "behind 'geneve' it asks of the packet inside also where there is none",
                remedy:
                    "Write what asks of the packet itself before 'geneve', and join what stands behind it by 'and'."
            )
        }
        throw XDPError(
            .refused, "the expression '\(Self.shortened(expression))' cannot be used",
            because: "instruction \(index) \(reason)",
            remedy: "Please report it, with the expression and the version of libpcap.")
    }

    private static let neverWritten = "reads what was never written"

    static func shortened(_ expression: String) -> String {
        expression.count > 200 ? "\(expression.prefix(200))…" : expression
    }

    private func firstMistake() -> (index: Int, reason: String)? {
        guard instructions.count <= Self.instructionLimit else {
            return (Self.instructionLimit, "is too many")
        }
        // What is written on every way to an instruction; nil where none has been found yet. A and X begin as 0.
        var written = [ClassicPlaces?](repeating: nil, count: instructions.count)
        if !written.isEmpty { written[0] = [.accumulator, .index] }
        for (index, instruction) in instructions.enumerated() {
            guard let operation = ClassicOperation(instruction) else { return (index, "is not known") }
            if let reason = Self.mistake(in: operation) { return (index, reason) }
            // What nothing leads to may be anything else.
            guard var places = written[index] else { continue }
            guard operation.reads.isSubset(of: places) else { return (index, Self.neverWritten) }
            places.formUnion(operation.writes)
            let next = index + 1
            let targets: [Int]
            switch operation {
            case .goto(let distance): targets = [next + Int(distance)]
            case .branch: targets = [next + Int(instruction.ifTrue), next + Int(instruction.ifFalse)]
            case .returnConstant, .returnAccumulator: targets = []
            default: targets = [next]
            }
            for target in targets {
                guard target > index, target < instructions.count else {
                    return (index, "leads out of the program")
                }
                written[target] = written[target].map { $0.intersection(places) } ?? places
            }
        }
        return nil
    }

    private static func mistake(in operation: ClassicOperation) -> String? {
        switch operation {
        case .load(_, let place), .store(_, let place):
            (0..<memoryWords).contains(place) ? nil : "names memory that there is not"
        case .arithmetic(.divide, .constant(0)), .arithmetic(.modulo, .constant(0)): "divides by zero"
        case .arithmetic(.shiftLeft, .constant(let bits)), .arithmetic(.shiftRight, .constant(let bits)):
            bits < 32 ? nil : "shifts by more than there is"
        default: nil
        }
    }
}

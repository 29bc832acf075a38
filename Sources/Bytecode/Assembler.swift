// SPDX-License-Identifier: Apache-2.0

/// Records instructions, jumps and calls to labels, and makes a program out of them.
///
/// Conditional jumps have 16-bit distances. Where that is too short, ``assemble(longJumps:)`` widens: a goto
/// becomes a gotol of the same size, a conditional jump becomes its inversion over a gotol, so that what is
/// behind moves. Positions that a caller notes meanwhile are ``Mark``s, translated by the ``Assembly``.
///
///     var assembler = Assembler()
///     let out = assembler.label()
///     assembler.append(.move(.r0, 2))
///     assembler.jump32(.equal, .r1, 7, to: out)
///     assembler.append(.move(.r0, 1))
///     assembler.place(out)
///     assembler.append(.exit)
public struct Assembler: Sendable {
    /// What is recorded; distances of instructions with a label are not set yet.
    var recorded: [Instruction] = []
    /// The instructions with a label, in the order of their index.
    var references: [Reference] = []
    /// Where labels are, by id.
    var labels: [Mark?] = []
    /// The first misuse, kept for `assemble` so that recording reads without `try`.
    var misuse: BytecodeError?

    /// An instruction whose distance is a label's.
    struct Reference: Sendable {
        let index: Int
        let label: Label
    }

    /// An assembler without instructions.
    public init() {}

    /// The number of instructions recorded so far; relaxation may add more.
    public var count: Int { recorded.count }

    /// Makes room for a number of instructions at once.
    public mutating func reserveCapacity(_ instructions: Int) {
        recorded.reserveCapacity(instructions)
    }

    /// Records an instruction as it is.
    public mutating func append(_ instruction: Instruction) {
        recorded.append(instruction)
    }

    /// Records instructions as they are.
    ///
    /// Their relative jumps and calls may lead over instructions with a label, but not over one that has to
    /// grow; only conditional jumps to a label do. `assemble` throws if that happens.
    public mutating func append(_ instructions: some Sequence<Instruction>) {
        recorded.append(contentsOf: instructions)
    }

    /// Records a jump, call or function load, whose distance will be the label's: what it holds now is ignored.
    ///
    /// Of a function load this is the first half; append the second.
    public mutating func append(_ instruction: Instruction, to label: Label) {
        guard instruction.jumpDistance != nil || instruction.functionDistance != nil else {
            return note(BytecodeError(.notAJump, at: count))
        }
        references.append(Reference(index: count, label: label))
        recorded.append(instruction)
    }

    // MARK: Places

    /// A new label, to be placed before or after its use.
    public mutating func label() -> Label {
        labels.append(nil)
        return Label(id: labels.count - 1)
    }

    /// Puts a label before the next instruction.
    public mutating func place(_ label: Label) {
        guard labels.indices.contains(label.id) else {
            return note(BytecodeError(.unplacedLabel, at: count))
        }
        guard labels[label.id] == nil else {
            return note(BytecodeError(.labelPlacedTwice, at: count))
        }
        labels[label.id] = mark()
    }

    /// A new label before the next instruction.
    public mutating func labelHere() -> Label {
        let new = label()
        place(new)
        return new
    }

    /// Notes the place of the next instruction.
    public func mark() -> Mark {
        Mark(recorded: count, references: references.count)
    }

    private mutating func note(_ error: BytecodeError) {
        if misuse == nil { misuse = error }
    }

    // MARK: Jumps and calls

    /// Records `goto label`.
    public mutating func jump(to label: Label) {
        append(.jump(0), to: label)
    }

    /// Records `if rL condition rR goto label`.
    public mutating func jump(_ condition: Condition, _ left: Register, _ right: Register, to label: Label) {
        append(.jump(condition, left, right, 0), to: label)
    }

    /// Records `if rL condition immediate goto label`; the immediate is sign-extended.
    public mutating func jump(_ condition: Condition, _ left: Register, _ immediate: Int32, to label: Label) {
        append(.jump(condition, left, immediate, 0), to: label)
    }

    /// Records `if wL condition wR goto label`.
    public mutating func jump32(_ condition: Condition, _ left: Register, _ right: Register, to label: Label)
    {
        append(.jump32(condition, left, right, 0), to: label)
    }

    /// Records `if wL condition immediate goto label`.
    public mutating func jump32(
        _ condition: Condition, _ left: Register, _ immediate: Int32, to label: Label
    ) {
        append(.jump32(condition, left, immediate, 0), to: label)
    }

    /// Records a call of the subprogram at a label.
    public mutating func call(to label: Label) {
        append(.call(relative: 0), to: label)
    }

    /// Records the load of the address of the subprogram at a label (kernel 5.13).
    public mutating func loadFunction(_ destination: Register, _ label: Label) {
        let halves = Instruction.loadFunction(destination, relative: 0)
        append(halves[0], to: label)
        append(halves[1])
    }
}

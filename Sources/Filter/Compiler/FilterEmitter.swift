// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import XDP

/// Writes the program: what its parts share. ``FilterFrame`` says which register holds what; while headers are read
/// and questions answered, r7 is the packet's first byte and r8 its end.
struct FilterEmitter: Sendable {
    /// Of `enum bpf_func_id` (linux/bpf.h).
    enum Helper {
        static let lookup: Int32 = 1
        static let time: Int32 = 5
        static let redirect: Int32 = 51
        static let length: Int32 = 188
    }

    let input: CompilerInput
    let needs: FieldNeeds
    var code = Assembler()
    var maps: MapBook
    var layout = FrameLayout()
    var frame: FilterFrame
    /// The numbers of fields, four bytes each (``SmallField/absent`` where there is none).
    var numberSlots: [SmallField: Int16] = [:]
    /// The classes of fields, and the answers to questions, two bytes each.
    var classSlots: [FieldKey: Int16] = [:]
    /// Two bytes for each group of questions.
    var answerSlots: [Int16] = []
    /// Eight bytes each: the rows of a block of several words.
    var rowSlots: [Int16] = []
    /// Four bytes for each run: the place of the record that its lookup found.
    var runSlots: [Int16] = []
    /// MAC addresses as in keys of sets; the seventh byte is 1 where there is none.
    var macSlots: [MACField: Int16] = [:]
    /// Four bytes: offsets of headers in the packet; ``noOffset`` where there is none.
    var networkSlot: Int16?
    var transportSlot: Int16?
    /// Two bytes for the length of an extension header, and for whether there was a fragment header.
    var extensionSlots: (length: Int16, fragment: Int16) = (0, 0)

    static let noOffset: Int32 = -1

    var fieldClasses: [FieldKey: FieldClasses]
    var runs: [RuleRun] = []
    var runRecords: [RunRecords] = []

    /// Where verdicts are returned, made when the first one asks.
    var verdictLabels: [Verdict: Label] = [:]
    var actLabel: Label?
    /// The verdicts of records that ``actLabel`` and its like meet.
    var recordVerdicts: Set<Verdict> = []
    var devices: [String] = []

    var lines: [(mark: Mark, text: String, line: Int)] = []
    /// The address fields of which a trie has the class.
    var usesTrie: Set<FieldKey> = []
    /// The fields whose class an ``AddressTree`` says, and the runs whose rules one finds.
    var usesTree: Set<FieldKey> = []
    var treeRuns: Set<Int> = []

    init(_ input: CompilerInput, needs: FieldNeeds, fieldClasses: [FieldKey: FieldClasses], maps: MapBook) {
        self.input = input
        self.needs = needs
        self.fieldClasses = fieldClasses
        self.maps = maps
        frame = FilterFrame(scratch: layout.bytes(FilterFrame.scratchSize))
        giveOutPlaces()
    }

    private mutating func giveOutPlaces() {
        // Before each address are eight bytes, the last four of which take the length of a trie's key.
        if needs.addresses.contains(.source) { frame.sourceAddress = layout.bytes(24) + 8 }
        if needs.addresses.contains(.destination) { frame.destinationAddress = layout.bytes(24) + 8 }
        if needs.needsVersion { frame.ipVersion = layout.bytes(8) }
        if needs.length { frame.length = layout.bytes(8) }
        for field in [MACField.source, .destination] where needs.macs.contains(field) {
            macSlots[field] = layout.bytes(8)
        }
        for field in SmallField.all {
            if needs.numbers.contains(field) { numberSlots[field] = layout.word() }
            if needs.classes.contains(field) { classSlots[.small(field)] = layout.halfWord() }
        }
        for key in fieldClasses.keys.sorted(by: { $0.order < $1.order }) where classSlots[key] == nil {
            classSlots[key] = layout.halfWord()
        }
        if needs.networkOffset { networkSlot = layout.word() }
        if needs.transportOffset { transportSlot = layout.word() }
        if needs.needsExtensions { extensionSlots = (layout.halfWord(), layout.halfWord()) }
    }

    // MARK: - Small things

    /// Says of the next instructions what they are for; the verifier quotes it.
    mutating func note(_ text: String, line: Int = 0) {
        lines.append((code.mark(), text, line))
    }

    mutating func append(_ instructions: Instruction...) {
        code.append(instructions)
    }

    /// `register = address of a table`
    mutating func loadTable(_ register: Register, _ table: MapBook.Table) {
        code.append(Instruction.loadMapValue(register, index: table.map, offset: table.offset))
    }

    mutating func storeImmediate(_ size: MemorySize, _ value: Int, at slot: Int16) {
        append(.storeImmediate(size, Int32(truncatingIfNeeded: value), to: .framePointer, offset: slot))
    }

    mutating func store(_ size: MemorySize, _ register: Register, at slot: Int16) {
        append(.store(size, register, to: .framePointer, offset: slot))
    }

    mutating func load(_ size: MemorySize, _ register: Register, at slot: Int16) {
        append(.load(size, register, from: .framePointer, offset: slot))
    }

    /// r0 = lookup in the map of the key at an offset from r10
    mutating func lookup(_ map: Int32, key: Int16) {
        append(.move(.r2, .framePointer), .add(.r2, Int32(key)))
        code.append(Instruction.loadMap(.r1, index: map))
        append(.call(helper: Helper.lookup))
    }

    /// The place of the map that user space and the program share.
    mutating func stateMap() -> Int32 {
        maps.place(of: .state, FilterState.definition(name: "state"))
    }

    /// The number of the lowest bit of a register, which is not zero; clobbers r1.
    mutating func lowestBit(of register: Register) {
        append(.move(.r1, register), .negate(.r1), .alu64(.and, register, .r1))
        code.append(Instruction.loadImmediate64(.r1, BitPlaces.multiplier))
        append(.alu64(.multiply, register, .r1), .alu64(.shiftRight, register, 58))
        loadTable(.r1, maps.table(BitPlaces.table))
        append(.add(.r1, register), .load(.byte, register, from: .r1), .alu64(.and, register, 63))
    }

    /// `register *= size`
    mutating func scale(_ register: Register, by size: Int) {
        if size.nonzeroBitCount == 1 {
            append(.alu64(.shiftLeft, register, Int32(size.trailingZeroBitCount)))
        } else {
            append(.alu64(.multiply, register, Int32(size)))
        }
    }

    /// Lets the verifier know that a number is below a count, as it always is.
    mutating func bound(_ register: Register, below count: Int) {
        if count.nonzeroBitCount == 1 {
            append(.alu64(.and, register, Int32(count - 1)))
        } else {
            let isBelow = code.label()
            code.jump(.less, register, Int32(count), to: isBelow)
            append(.move(register, 0))
            code.place(isBelow)
        }
    }

    mutating func label(of verdict: Verdict) -> Label {
        if let known = verdictLabels[verdict] { return known }
        let label = code.label()
        verdictLabels[verdict] = label
        return label
    }
}

/// The lowest bit of a number by multiplication: each power of two brings other bits to the top of this one (a de
/// Bruijn sequence).
enum BitPlaces {
    static let multiplier: UInt64 = 0x03f7_9d71_b4cb_0a89

    static let table: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 64)
        for bit in 0..<64 { table[Int((multiplier << UInt64(bit)) >> 58)] = UInt8(bit) }
        return table
    }()
}

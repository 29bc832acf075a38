// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// The program on a tracepoint: makes a key of the arguments and counts it.
///
/// | Register | Content |
/// |---|---|
/// | r6 | the context, an array of the arguments |
/// | r7 | a pointer of the kernel's that is followed |
/// | r8 | the value in the map |
///
/// | Stack | Content |
/// |---|---|
/// | -48 … -1 | the key (``EventLayout``) |
/// | -80 … -49 | the zeros of a new value |
/// | -88, -96 | dropped and sent packets of the event |
/// | -104 | room for pointers that are read |
struct EventCode {
    /// Descriptors of the maps.
    struct Maps {
        /// A hash of ``EventLayout`` keys and values, one for each CPU.
        var tally: Int32
        /// An array of one number: events that found no place.
        var others: Int32
        /// The ring that wakes the reader.
        var ring: Int32
    }

    /// Whose events count.
    struct Scope {
        /// The inode of the network namespace; nil for all.
        var namespace: UInt32?
        /// Indices of interfaces; nil for all.
        var interfaces: [UInt32]?
        /// Whether events count in which nothing was lost.
        var successes = false
    }

    let source: EventSource
    let offsets: EventOffsets
    let maps: Maps
    let scope: Scope
    var code = Assembler()
    let out: Label

    static let key: Int16 = -48
    static let value: Int16 = -80
    static let dropped: Int16 = -88
    static let sent: Int16 = -96
    static let pointer: Int16 = -104

    /// The helpers it calls (`enum bpf_func_id`).
    enum Helper {
        static let lookup: Int32 = 1
        static let update: Int32 = 2
        static let time: Int32 = 5
        static let processor: Int32 = 8
        static let processID: Int32 = 14
        static let command: Int32 = 16
        static let task: Int32 = 35
        static let read: Int32 = 113
        static let readText: Int32 = 115
        static let ringOutput: Int32 = 130
        static let ringReserve: Int32 = 131
        static let ringSubmit: Int32 = 132
        static let ringDiscard: Int32 = 133
    }

    private init(_ source: EventSource, _ offsets: EventOffsets, _ maps: Maps, _ scope: Scope) {
        self.source = source
        self.offsets = offsets
        self.maps = maps
        self.scope = scope
        out = code.label()
    }

    /// The instructions for a tracepoint whose arguments have this shape.
    static func instructions(
        for source: EventSource, _ shape: EventSource.Shape, offsets: EventOffsets, maps: Maps, scope: Scope
    ) throws(BytecodeError) -> [Instruction] {
        var emitter = EventCode(source, offsets, maps, scope)
        emitter.emit(shape)
        return try emitter.code.assemble(longJumps: false).instructions
    }

    private mutating func emit(_ shape: EventSource.Shape) {
        code.append(.move(.r6, .r1))
        if shape == .message {
            emitMessage()
        } else {
            emitKey(shape)
            emitTally()
        }
        code.place(out)
        code.append(.move(.r0, 0))
        code.append(.exit)
    }

    // MARK: - The key

    private mutating func emitKey(_ shape: EventSource.Shape) {
        for offset in stride(from: Self.key, to: 0, by: 8) {
            code.append(.storeImmediate(.doubleWord, 0, to: .framePointer, offset: offset))
        }
        code.append(
            .storeImmediate(
                .word, EventLayout.code(of: source.kind), to: .framePointer, offset: slot(.kind)))
        switch shape {
        case .exception:
            emitDevice(0, .interface, .namespace)
            emitMatch([(.interface, .namespace)])
            emitProgram(1)
            copy(argument: 2, to: .verdict)
            setAmounts(dropped: 1, sent: 0)
        case .redirect, .redirectWithMap:
            emitDevice(0, .interface, .namespace)
            emitMatch([(.interface, .namespace)])
            emitProgram(1)
            copy(argument: 3, to: .error)
            if shape == .redirect { emitTarget() } else { emitTargetWithMap() }
            let isFailure = source.kind == .redirectError
            setAmounts(dropped: isFailure ? 1 : 0, sent: isFailure ? 0 : 1)
        case .devmap:
            leaveUnlessDropped(argument: 3)
            emitDevice(0, .interface, .namespace)
            emitDevice(1, .target, .targetNamespace)
            emitMatch([(.interface, .namespace), (.target, .targetNamespace)])
            copy(argument: 4, to: .error)
            setAmounts(droppedArgument: 3, sentArgument: 2)
        case .bulk:
            leaveUnlessDropped(argument: 2)
            emitDevice(0, .interface, .namespace)
            emitMatch([(.interface, .namespace)])
            copy(argument: 3, to: .error)
            setAmounts(droppedArgument: 2, sentArgument: 1)
        case .cpumapEnqueue, .cpumapRun:
            leaveUnlessDropped(argument: 2)
            copy(argument: 0, to: .map)
            // BPF_MAP_TYPE_CPUMAP
            code.append(.storeImmediate(.word, 16, to: .framePointer, offset: slot(.mapType)))
            if shape == .cpumapEnqueue {
                copy(argument: 3, to: .cpu)
            } else {
                code.append(.call(helper: Helper.processor))
                code.append(.store(.word, .r0, to: .framePointer, offset: slot(.cpu)))
            }
            // What was processed includes what was dropped; but not in generic mode, which tells of each packet alone.
            let rest = code.label()
            load(.r1, argument: 1)
            load(.r2, argument: 2)
            code.append(.store(.doubleWord, .r2, to: .framePointer, offset: Self.dropped))
            code.jump(.greaterOrEqual, .r1, .r2, to: rest)
            code.append(.move(.r1, .r2))
            code.place(rest)
            code.append(.subtract(.r1, .r2))
            code.append(.store(.doubleWord, .r1, to: .framePointer, offset: Self.sent))
        case .message: break
        }
    }

    private func slot(_ field: EventLayout.Field) -> Int16 { Self.key + Int16(field.rawValue) }

    /// Numbers of four bytes: what is above them in the context is not defined.
    private mutating func load(_ register: Register, argument: Int) {
        code.append(.load(.doubleWord, register, from: .r6, offset: Int16(argument * 8)))
        code.append(.move32(register, register))
    }

    private mutating func copy(argument: Int, to field: EventLayout.Field) {
        load(.r1, argument: argument)
        code.append(.store(.word, .r1, to: .framePointer, offset: slot(field)))
    }

    private mutating func setAmounts(dropped: Int32, sent: Int32) {
        code.append(.storeImmediate(.doubleWord, dropped, to: .framePointer, offset: Self.dropped))
        code.append(.storeImmediate(.doubleWord, sent, to: .framePointer, offset: Self.sent))
    }

    private mutating func setAmounts(droppedArgument: Int, sentArgument: Int) {
        for (argument, slot) in [(droppedArgument, Self.dropped), (sentArgument, Self.sent)] {
            load(.r1, argument: argument)
            code.append(.store(.doubleWord, .r1, to: .framePointer, offset: slot))
        }
    }

    /// What came well is most of what there is, so it leaves first.
    private mutating func leaveUnlessDropped(argument: Int) {
        guard !scope.successes else { return }
        load(.r1, argument: argument)
        code.jump32(.equal, .r1, 0, to: out)
    }

    /// The index and the namespace of a device; zeros without one.
    private mutating func emitDevice(
        _ argument: Int, _ index: EventLayout.Field, _ namespace: EventLayout.Field
    ) {
        let done = code.label()
        code.append(.load(.doubleWord, .r7, from: .r6, offset: Int16(argument * 8)))
        code.jump(.equal, .r7, 0, to: done)
        code.append(.load(.word, .r1, from: .r7, offset: Int16(offsets.interface)))
        code.append(.store(.word, .r1, to: .framePointer, offset: slot(index)))
        if let network = offsets.network, let inode = offsets.inode {
            code.append(.load(.doubleWord, .r7, from: .r7, offset: Int16(network)))
            code.jump(.equal, .r7, 0, to: done)
            code.append(.load(.word, .r1, from: .r7, offset: Int16(inode)))
            code.append(.store(.word, .r1, to: .framePointer, offset: slot(namespace)))
        }
        code.place(done)
    }

    /// Leaves unless one of the devices is wanted.
    private mutating func emitMatch(_ devices: [(index: EventLayout.Field, namespace: EventLayout.Field)]) {
        guard scope.namespace != nil || scope.interfaces != nil else { return }
        let wanted = code.label()
        for device in devices {
            let next = code.label()
            if let namespace = scope.namespace, offsets.network != nil {
                code.append(.load(.word, .r1, from: .framePointer, offset: slot(device.namespace)))
                code.append(.move32(.r2, Int32(bitPattern: namespace)))
                code.jump32(.notEqual, .r1, .r2, to: next)
            }
            if let interfaces = scope.interfaces {
                code.append(.load(.word, .r1, from: .framePointer, offset: slot(device.index)))
                for interface in interfaces {
                    code.jump32(.equal, .r1, Int32(bitPattern: interface), to: wanted)
                }
            } else {
                code.jump(to: wanted)
            }
            code.place(next)
        }
        code.jump(to: out)
        code.place(wanted)
    }

    private mutating func emitProgram(_ argument: Int) {
        let done = code.label()
        code.append(.load(.doubleWord, .r7, from: .r6, offset: Int16(argument * 8)))
        code.jump(.equal, .r7, 0, to: done)
        code.append(.load(.doubleWord, .r7, from: .r7, offset: Int16(offsets.auxiliary)))
        code.jump(.equal, .r7, 0, to: done)
        code.append(.load(.word, .r1, from: .r7, offset: Int16(offsets.program)))
        code.append(.store(.word, .r1, to: .framePointer, offset: slot(.program)))
        code.place(done)
    }

    // MARK: - Where a redirect led to

    /// Arguments 4 to 6 are map type, map id and index. A number of an interface has no map's type and INT_MAX for the map's
    /// id; without a call of a helper both are zero, and the index is left over from another packet.
    private mutating func emitTarget() {
        let done = code.label()
        let map = code.label()
        load(.r1, argument: 4)
        load(.r2, argument: 5)
        load(.r3, argument: 6)
        code.jump32(.notEqual, .r1, 0, to: map)
        code.jump32(.notEqual, .r2, Int32.max, to: done)
        emitTargetIndex()
        code.jump(to: done)
        code.place(map)
        code.append(.store(.word, .r1, to: .framePointer, offset: slot(.mapType)))
        code.append(.store(.word, .r2, to: .framePointer, offset: slot(.map)))
        code.append(.store(.word, .r3, to: .framePointer, offset: slot(.mapKey)))
        emitTargetDevice(done)
        code.place(done)
    }

    /// Arguments 4 and 5 are the map, if any, and the index.
    private mutating func emitTargetWithMap() {
        let done = code.label()
        let map = code.label()
        load(.r3, argument: 5)
        code.append(.load(.doubleWord, .r7, from: .r6, offset: 4 * 8))
        code.jump(.notEqual, .r7, 0, to: map)
        emitTargetIndex()
        code.jump(to: done)
        code.place(map)
        code.append(.load(.word, .r1, from: .r7, offset: Int16(offsets.mapType)))
        code.append(.load(.word, .r2, from: .r7, offset: Int16(offsets.map)))
        code.append(.store(.word, .r1, to: .framePointer, offset: slot(.mapType)))
        code.append(.store(.word, .r2, to: .framePointer, offset: slot(.map)))
        code.append(.store(.word, .r3, to: .framePointer, offset: slot(.mapKey)))
        emitTargetDevice(done)
        code.place(done)
    }

    /// r3 is an interface, which is looked for in the namespace where the packet came in.
    private mutating func emitTargetIndex() {
        code.append(.store(.word, .r3, to: .framePointer, offset: slot(.target)))
        code.append(.load(.word, .r1, from: .framePointer, offset: slot(.namespace)))
        code.append(.store(.word, .r1, to: .framePointer, offset: slot(.targetNamespace)))
    }

    /// With the type of the map in r1. An entry of a device map begins with a pointer to the device, so that tracepoints find
    /// it; a broadcast has no entry.
    private mutating func emitTargetDevice(_ done: Label) {
        let device = code.label()
        // BPF_MAP_TYPE_DEVMAP and BPF_MAP_TYPE_DEVMAP_HASH
        code.jump32(.equal, .r1, 14, to: device)
        code.jump32(.notEqual, .r1, 25, to: done)
        code.place(device)
        loadPointer(argument: 2)
        code.jump(.equal, .r7, 0, to: done)
        read(8, at: 0, into: Self.pointer)
        code.append(.load(.doubleWord, .r7, from: .framePointer, offset: Self.pointer))
        code.jump(.equal, .r7, 0, to: done)
        read(4, at: offsets.interface, into: slot(.target))
        if let network = offsets.network, let inode = offsets.inode {
            read(8, at: network, into: Self.pointer)
            code.append(.load(.doubleWord, .r7, from: .framePointer, offset: Self.pointer))
            code.jump(.equal, .r7, 0, to: done)
            read(4, at: inode, into: slot(.targetNamespace))
        }
    }

    /// r7 = an argument that is a pointer to no structure. Up to Linux 6.12 the verifier lets programs load only those to
    /// structures.
    mutating func loadPointer(argument: Int) {
        code.append(.move(.r7, .r6))
        read(8, at: argument * 8, into: Self.pointer)
        code.append(.load(.doubleWord, .r7, from: .framePointer, offset: Self.pointer))
    }

    /// Reads the kernel's memory at r7, of whose type the verifier knows nothing; zeros if there is none.
    mutating func read(_ size: Int32, at offset: Int, into slot: Int16) {
        code.append(.move(.r1, .framePointer))
        code.append(.add(.r1, Int32(slot)))
        code.append(.move(.r2, size))
        code.append(.move(.r3, .r7))
        code.append(.add(.r3, Int32(offset)))
        code.append(.call(helper: Helper.read))
    }
}

// SPDX-License-Identifier: Apache-2.0
import Bytecode

// Reading headers, as ``PacketFields`` says. r9 is the header, r3 how many bytes the packet itself says that are left
// from there, r5 the protocol; r0 to r2 are scratch.
extension FilterEmitter {
    /// Emits the beginning of the program: everything of the packet that the rules need.
    mutating func emitHeaders() {
        append(.move(.r6, .r1))
        guard needs.needsFrame || needs.length || needs.needs(.length) || needs.needs(.queue) || needs.bytes
        else { return }
        note("headers")
        emitAbsences()
        append(.load(.word, .r7, from: .r6, offset: 0), .load(.word, .r8, from: .r6, offset: 4))
        emitLength()
        if needs.needs(.queue) {
            append(.load(.word, .r1, from: .r6, offset: 16))
            limitToHalfWord()
            give(.number(.queue))
        }
        guard needs.needsFrame else { return }
        let done = code.label()
        append(.move(.r9, .r7), .add(.r9, 14))
        code.jump(.greater, .r9, .r8, to: done)
        emitFrame(done)
        code.place(done)
    }

    /// What holds until something else is found.
    private mutating func emitAbsences() {
        for field in SmallField.all {
            let standard = field == .fragment ? SmallField.whole : field.absent
            if let slot = numberSlots[field] { storeImmediate(.word, Int(standard), at: slot) }
            if let slot = classSlots[.small(field)], let classes = fieldClasses[.small(field)] {
                storeImmediate(.halfWord, classes.kind(of: standard), at: slot)
            }
        }
        for address in [frame.sourceAddress, frame.destinationAddress].compactMap({ $0 }) {
            storeImmediate(.doubleWord, 0, at: address)
            storeImmediate(.doubleWord, 0, at: address + 8)
        }
        if let slot = frame.ipVersion { storeImmediate(.doubleWord, 0, at: slot) }
        for field in [MACField.source, .destination] {
            guard let slot = macSlots[field] else { continue }
            storeImmediate(.doubleWord, 0, at: slot)
            storeImmediate(.halfWord, 1, at: slot + 6)
        }
        for slot in [networkSlot, transportSlot].compactMap({ $0 }) {
            storeImmediate(.word, Int(Self.noOffset), at: slot)
        }
    }

    private mutating func emitLength() {
        guard needs.length || needs.needs(.length) else { return }
        if input.usesFrags {
            append(.move(.r1, .r6), .call(helper: Helper.length))
        } else {
            append(.move(.r0, .r8), .subtract(.r0, .r7))
        }
        if let slot = frame.length { store(.doubleWord, .r0, at: slot) }
        guard needs.needs(.length) else { return }
        append(.move(.r1, .r0))
        limitToHalfWord()
        give(.number(.length))
    }

    /// 65535 stands in r1 for that and more.
    private mutating func limitToHalfWord() {
        let isSmall = code.label()
        code.jump(.lessOrEqual, .r1, 65_535, to: isSmall)
        append(.move(.r1, 65_535))
        code.place(isSmall)
    }

    /// Notes the field, which stands in r1 as it does in the packet; keeps all but r0 and r2.
    private mutating func give(_ field: SmallField) {
        if let slot = numberSlots[field] {
            append(.move(.r2, .r1))
            if field.isKeyedByWireOrder { append(.toBigEndian(.r2, bits: 16)) }
            if field == .number(.dscp) { append(.alu64(.shiftRight, .r2, 2)) }
            store(.word, .r2, at: slot)
        }
        guard let slot = classSlots[.small(field)], let classes = fieldClasses[.small(field)] else { return }
        let isWide = classes.count > 255
        let kinds = field.tableNumbers.map { classes.kind(of: $0) }
        let bytes = isWide ? kinds.flatMap { UInt16($0).hostBytes } : kinds.map { UInt8($0) }
        loadTable(.r2, maps.table(bytes))
        append(.move(.r0, .r1))
        if isWide { append(.alu64(.shiftLeft, .r0, 1)) }
        append(.add(.r2, .r0), .load(isWide ? .halfWord : .byte, .r2, from: .r2))
        store(.halfWord, .r2, at: slot)
    }

    /// Notes a field whose value is known.
    private mutating func give(_ field: SmallField, _ value: UInt32) {
        if let slot = numberSlots[field] { storeImmediate(.word, Int(value), at: slot) }
        if let slot = classSlots[.small(field)], let classes = fieldClasses[.small(field)] {
            storeImmediate(.halfWord, classes.kind(of: value), at: slot)
        }
    }

    /// Notes a field that stands at an offset from r9.
    private mutating func give(_ field: NumberField, _ size: MemorySize, at offset: Int16) {
        guard needs.needs(field) else { return }
        append(.load(size, .r1, from: .r9, offset: offset))
        give(.number(field))
    }

    // MARK: - Frame

    /// Goes on with r9 behind the Ethernet header, which is there.
    private mutating func emitFrame(_ done: Label) {
        for (field, offset) in [(MACField.destination, Int16(0)), (.source, 6)] {
            guard let slot = macSlots[field] else { continue }
            append(
                .load(.word, .r1, from: .r7, offset: offset),
                .load(.halfWord, .r2, from: .r7, offset: offset + 4))
            store(.word, .r1, at: slot)
            store(.halfWord, .r2, at: slot + 4)
            storeImmediate(.halfWord, 0, at: slot + 6)
        }
        guard needs.needsNetwork || needs.needs(.etherType) || needs.needs(.vlan) || needs.needs(.innerVLAN)
        else { return }
        append(.load(.halfWord, .r5, from: .r7, offset: 12))
        let untagged = code.label()
        for field in [NumberField.vlan, .innerVLAN] { emitTag(field, untagged) }
        code.place(untagged)
        if needs.needs(.etherType) {
            append(.move(.r1, .r5))
            give(.number(.etherType))
        }
        guard needs.needsNetwork else { return }
        let four = code.label()
        let transport = code.label()
        code.jump(.equal, .r5, Int32(UInt16(0x0800).bigEndian), to: four)
        code.jump(.notEqual, .r5, Int32(UInt16(0x86dd).bigEndian), to: done)
        emitSix(transport, done)
        code.place(four)
        emitFour(transport, done)
        code.place(transport)
        emitPorts(done)
    }

    /// Steps over a tag; the type is in r5.
    private mutating func emitTag(_ field: NumberField, _ untagged: Label) {
        let isTag = code.label()
        code.jump(.equal, .r5, Int32(UInt16(0x8100).bigEndian), to: isTag)
        code.jump(.notEqual, .r5, Int32(UInt16(0x88a8).bigEndian), to: untagged)
        code.place(isTag)
        append(.move(.r2, .r9), .add(.r2, 4))
        code.jump(.greater, .r2, .r8, to: untagged)
        if needs.needs(field) {
            append(
                .load(.halfWord, .r1, from: .r9), .toBigEndian(.r1, bits: 16), .alu64(.and, .r1, 0xfff))
            give(.number(field))
        }
        append(.load(.halfWord, .r5, from: .r9, offset: 2), .add(.r9, 4))
    }

    // MARK: - IPv4

    private mutating func emitFour(_ transport: Label, _ done: Label) {
        note("IPv4 header")
        append(.move(.r2, .r9), .add(.r2, 20))
        code.jump(.greater, .r2, .r8, to: done)
        append(
            .load(.byte, .r4, from: .r9), .move(.r1, .r4), .alu64(.and, .r1, 0xf0), .alu64(.and, .r4, 0x0f),
            .alu64(.shiftLeft, .r4, 2))
        code.jump(.notEqual, .r1, 0x40, to: done)
        code.jump(.less, .r4, 20, to: done)
        // The total length, where it is given.
        let isGiven = code.label()
        append(.load(.halfWord, .r3, from: .r9, offset: 2), .toBigEndian(.r3, bits: 16))
        code.jump(.notEqual, .r3, 0, to: isGiven)
        append(.move(.r3, Self.endless))
        code.place(isGiven)
        code.jump(.less, .r3, .r4, to: done)
        append(.subtract(.r3, .r4), .add(.r4, .r9))
        code.jump(.greater, .r4, .r8, to: done)
        emitVersion(4)
        for (slot, offset) in [(frame.sourceAddress, Int16(12)), (frame.destinationAddress, 16)] {
            guard let slot else { continue }
            append(.load(.word, .r1, from: .r9, offset: offset))
            store(.word, .r1, at: slot)
        }
        give(.trafficClass, .byte, at: 1)
        give(.dscp, .byte, at: 1)
        give(.ttl, .byte, at: 8)
        guard needs.needsExtensions else { return code.jump(to: done) }
        give(.protocol, .byte, at: 9)
        if needs.needs(.fragment) || needs.needsTransport { emitFragment4(done) }
        guard needs.needsTransport else { return code.jump(to: done) }
        append(.load(.byte, .r5, from: .r9, offset: 9), .move(.r9, .r4))
        emitMessages(1, .icmpType, .icmpCode, wanted: needs.needsMessages4, done)
        code.jump(to: needs.needsPorts ? transport : done)
    }

    private mutating func emitFragment4(_ done: Label) {
        let isFirst = code.label()
        append(
            .load(.halfWord, .r1, from: .r9, offset: 6), .toBigEndian(.r1, bits: 16), .move(.r2, .r1),
            .alu64(.and, .r2, 0x1fff))
        code.jump(.equal, .r2, 0, to: isFirst)
        give(.fragment, SmallField.laterFragment)
        code.jump(to: done)
        code.place(isFirst)
        guard needs.needs(.fragment) else { return }
        let isWhole = code.label()
        append(.alu64(.and, .r1, 0x2000))
        code.jump(.equal, .r1, 0, to: isWhole)
        give(.fragment, SmallField.firstFragment)
        code.place(isWhole)
    }

    /// More than any packet has.
    private static let endless: Int32 = 0x7fff_ffff

    /// Notes that the header at r9 is valid.
    private mutating func emitVersion(_ version: UInt32) {
        give(.number(.ipVersion), version)
        if let slot = frame.ipVersion { storeImmediate(.doubleWord, Int(version), at: slot) }
        if let slot = networkSlot { emitOffset(slot) }
    }

    /// Notes where r9 stands.
    private mutating func emitOffset(_ slot: Int16) {
        append(.move(.r1, .r9), .subtract(.r1, .r7))
        store(.word, .r1, at: slot)
    }

    // MARK: - Transport

    /// Notes where transport begins, and type and code if it is this protocol.
    private mutating func emitMessages(
        _ number: Int32, _ type: NumberField, _ kind: NumberField, wanted: Bool, _ done: Label
    ) {
        if let slot = transportSlot { emitOffset(slot) }
        guard wanted else { return }
        let isOther = code.label()
        code.jump(.notEqual, .r5, number, to: isOther)
        code.jump(.less, .r3, 2, to: done)
        append(.move(.r2, .r9), .add(.r2, 2))
        code.jump(.greater, .r2, .r8, to: done)
        give(type, .byte, at: 0)
        give(kind, .byte, at: 1)
        code.jump(to: done)
        code.place(isOther)
    }

    private mutating func emitPorts(_ done: Label) {
        guard needs.needsPorts else { return }
        note("ports")
        let hasPorts = code.label()
        for number: Int32 in [6, 17, 132, 136] { code.jump(.equal, .r5, number, to: hasPorts) }
        code.jump(.notEqual, .r5, 33, to: done)
        code.place(hasPorts)
        code.jump(.less, .r3, 4, to: done)
        append(.move(.r2, .r9), .add(.r2, 4))
        code.jump(.greater, .r2, .r8, to: done)
        give(.sourcePort, .halfWord, at: 0)
        give(.destinationPort, .halfWord, at: 2)
        guard needs.needs(.tcpFlags) else { return }
        code.jump(.notEqual, .r5, 6, to: done)
        code.jump(.less, .r3, 14, to: done)
        append(.move(.r2, .r9), .add(.r2, 14))
        code.jump(.greater, .r2, .r8, to: done)
        append(.load(.byte, .r1, from: .r9, offset: 13))
        give(.tcpFlags)
    }

    // MARK: - IPv6

    private mutating func emitSix(_ transport: Label, _ done: Label) {
        note("IPv6 header")
        append(.move(.r2, .r9), .add(.r2, 40))
        code.jump(.greater, .r2, .r8, to: done)
        append(.load(.byte, .r1, from: .r9), .alu64(.and, .r1, 0xf0))
        code.jump(.notEqual, .r1, 0x60, to: done)
        emitVersion(6)
        for (slot, offset) in [(frame.sourceAddress, Int16(8)), (frame.destinationAddress, 24)] {
            guard let slot else { continue }
            // The packet's headers are aligned to two bytes only, which XDP's kernels on x86 and arm64 do not mind.
            append(.load(.doubleWord, .r1, from: .r9, offset: offset))
            store(.doubleWord, .r1, at: slot)
            append(.load(.doubleWord, .r1, from: .r9, offset: offset + 8))
            store(.doubleWord, .r1, at: slot + 8)
        }
        if needs.needs(.trafficClass) || needs.needs(.dscp) {
            append(
                .load(.halfWord, .r1, from: .r9), .toBigEndian(.r1, bits: 16), .alu64(.shiftRight, .r1, 4),
                .alu64(.and, .r1, 0xff))
            give(.number(.trafficClass))
            give(.number(.dscp))
        }
        give(.ttl, .byte, at: 7)
        guard needs.needsExtensions else { return code.jump(to: done) }
        let payload = code.label()
        append(
            .load(.halfWord, .r3, from: .r9, offset: 4), .toBigEndian(.r3, bits: 16),
            .load(.byte, .r5, from: .r9, offset: 6), .add(.r9, 40))
        code.jump(.notEqual, .r3, 0, to: payload)
        append(.move(.r3, Self.endless))
        code.place(payload)
        emitExtensions(done)
        if needs.needs(.protocol) {
            append(.move(.r1, .r5))
            give(.number(.protocol))
        }
        guard needs.needsTransport else { return code.jump(to: done) }
        emitMessages(58, .icmp6Type, .icmp6Code, wanted: needs.needsMessages6, done)
        code.jump(to: needs.needsPorts ? transport : done)
    }

    /// What the walk does with a next header.
    private enum Extension {
        static let other: UInt8 = 1
        static let authentication: UInt8 = 2
        static let fragment: UInt8 = 3

        static let table: [UInt8] = {
            var table = [UInt8](repeating: 0, count: 256)
            for header in [0, 43, 60, 135, 139, 140] { table[header] = other }
            table[51] = authentication
            table[44] = fragment
            return table
        }()
    }

    /// Steps over extension headers: r9 and r5 are then transport's.
    private mutating func emitExtensions(_ done: Label) {
        note("IPv6 extension headers")
        let transport = code.label()
        let hasLength = code.label()
        let isFragment = code.label()
        let isAuthentication = code.label()
        storeImmediate(.halfWord, 1, at: extensionSlots.fragment)
        append(.move(.r4, 0))
        let loop = code.labelHere()
        loadTable(.r1, maps.table(Extension.table))
        append(.add(.r1, .r5), .load(.byte, .r1, from: .r1))
        code.jump(.equal, .r1, 0, to: transport)
        code.jump(.equal, .r4, 8, to: done)
        append(.add(.r4, 1), .move(.r2, .r9), .add(.r2, 8))
        code.jump(.greater, .r2, .r8, to: done)
        append(.load(.byte, .r2, from: .r9, offset: 1))
        code.jump(.equal, .r1, Int32(Extension.fragment), to: isFragment)
        code.jump(.equal, .r1, Int32(Extension.authentication), to: isAuthentication)
        append(.add(.r2, 1), .alu64(.shiftLeft, .r2, 3))
        code.place(hasLength)
        // Through the stack: so the verifier takes all ways of finding the length for one.
        store(.halfWord, .r2, at: extensionSlots.length)
        load(.halfWord, .r2, at: extensionSlots.length)
        append(.alu64(.and, .r2, 0xffc))
        code.jump(.greater, .r2, .r3, to: done)
        append(.subtract(.r3, .r2), .load(.byte, .r5, from: .r9), .add(.r9, .r2))
        code.jump(.greater, .r9, .r8, to: done)
        code.jump(to: loop)
        code.place(isAuthentication)
        append(.add(.r2, 2), .alu64(.shiftLeft, .r2, 2))
        code.jump(to: hasLength)
        code.place(isFragment)
        emitFragment6(hasLength, done)
        code.place(transport)
    }

    private mutating func emitFragment6(_ hasLength: Label, _ done: Label) {
        let goesOn = code.label()
        code.jump(.less, .r3, 8, to: done)
        load(.halfWord, .r0, at: extensionSlots.fragment)
        code.jump(.notEqual, .r0, 1, to: goesOn)
        storeImmediate(.halfWord, 2, at: extensionSlots.fragment)
        let isFirst = code.label()
        append(
            .load(.halfWord, .r1, from: .r9, offset: 2), .toBigEndian(.r1, bits: 16), .move(.r2, .r1),
            .alu64(.shiftRight, .r2, 3))
        code.jump(.equal, .r2, 0, to: isFirst)
        give(.fragment, SmallField.laterFragment)
        give(.protocol, .byte, at: 0)
        code.jump(to: done)
        code.place(isFirst)
        if needs.needs(.fragment) {
            append(.alu64(.and, .r1, 1))
            code.jump(.equal, .r1, 0, to: goesOn)
            give(.fragment, SmallField.firstFragment)
        }
        code.place(goesOn)
        append(.move(.r2, 8))
        code.jump(to: hasLength)
    }
}

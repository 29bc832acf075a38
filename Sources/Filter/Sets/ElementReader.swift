// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Reads elements of one set from lines and puts them into its contents, without a copy of anything.
///
/// A line is an element as rule files have it (`192.0.2.0/24`, `192.0.2.1 . 80`), behind it perhaps `timeout 10m`,
/// a comma, and a comment from `#` or `;` on. Networks may be ranges (`192.0.2.1-192.0.2.9`), numbers too.
struct ElementReader: ~Copyable {
    let kinds: [SetDeclaration.Kind]
    let hasTimeouts: Bool
    /// The life of elements that say none, 0 for no end.
    let standardLife: UInt32
    /// The number for the name of an interface.
    let interface: (String) -> UInt32?
    /// Networks with bits beyond their length, and the line of the first.
    var hostBits = 0
    /// Names of interfaces that there are none of.
    var unknownInterfaces: [String] = []
    private let key: UnsafeMutableRawPointer

    init(
        _ layout: SetLayout, timeout: UInt64?, interface: @escaping (String) -> UInt32?
    ) {
        kinds = layout.kinds
        hasTimeouts = layout.hasTimeouts
        standardLife = UInt32(clamping: timeout ?? 0)
        self.interface = interface
        key = .allocate(byteCount: max(kinds.count * 16, 20), alignment: 8)
    }

    deinit { key.deallocate() }

    /// Reads one line; false if there is no element in it.
    mutating func read(
        _ line: UnsafeBufferPointer<UInt8>, into contents: inout SetContents
    ) throws(ElementProblem) -> Bool {
        var cursor = TextCursor(line)
        cursor.skipBlanks()
        if Self.ends(cursor) { return false }
        switch kinds {
        case [.prefix]: try readNetworks(&cursor, into: &contents)
        case [.port], [.protocol], [.vlan]: try readNumbers(&cursor, kinds[0], into: &contents)
        default: try readComponents(&cursor, into: &contents)
        }
        return true
    }

    private static func ends(_ cursor: TextCursor) -> Bool {
        // A comment begins with one of the two.
        cursor.isAtEnd || cursor.byte == 35 || cursor.byte == 59
    }

    // MARK: The end of a line

    /// `timeout 10m`, a comma, and nothing else; the element's life.
    private func readEnd(_ cursor: inout TextCursor) throws(ElementProblem) -> UInt32 {
        var life = standardLife
        _ = cursor.take(44)
        cursor.skipBlanks()
        if Self.ends(cursor) { return life }
        let column = cursor.column
        let word = cursor.word()
        guard word.elementsEqual("timeout".utf8) else {
            throw ElementProblem(
                column, "\(ElementProblem.excerpt(word)) stands behind the element",
                expected: "one element a line; behind it `timeout 10m`, or a comment from # or ; on")
        }
        guard hasTimeouts else {
            throw ElementProblem(
                column, "the elements of this set have no timeouts",
                remedy: "declare the set with `timeouts`, or with a timeout")
        }
        cursor.skipBlanks()
        let place = cursor.column
        let text = cursor.word()
        guard let seconds = LifeText.seconds(text) else {
            throw ElementProblem(
                place, "\(ElementProblem.excerpt(text)) is no time",
                expected: "something like 90s, 10m, 1h30m or 2d; at most ten years")
        }
        life = UInt32(clamping: seconds)
        _ = cursor.take(44)
        cursor.skipBlanks()
        guard Self.ends(cursor) else {
            throw ElementProblem(
                cursor.column, "\(ElementProblem.excerpt(cursor.word())) stands behind the timeout",
                expected: "one element a line; a comment begins with # or ;")
        }
        return life
    }

    // MARK: Networks

    private mutating func readNetworks(
        _ cursor: inout TextCursor, into contents: inout SetContents
    ) throws(ElementProblem) {
        let column = cursor.column
        let first = cursor.addressBytes()
        if let address = AddressText.ipv4(first) {
            if cursor.byte == 47 {
                let length = try readLength(&cursor, bits: 32)
                let network = length == 0 ? 0 : address & (UInt32.max << UInt32(32 - length))
                if network != address { hostBits += 1 }
                let life = try readEnd(&cursor)
                insert(UInt128(network), length, part: 0, life, into: &contents)
            } else if cursor.byte == 45 {
                let last = try readLast(&cursor, column, UInt128(address), bits: 32)
                let life = try readEnd(&cursor)
                AddressText.networks(from: UInt128(address), through: last, bits: 32) {
                    insert($0, $1, part: 0, life, into: &contents)
                }
            } else {
                let life = try readEnd(&cursor)
                insert(UInt128(address), 32, part: 0, life, into: &contents)
            }
        } else if let address = AddressText.ipv6(first) {
            if cursor.byte == 47 {
                let length = try readLength(&cursor, bits: 128)
                let network = length == 0 ? 0 : address & (UInt128.max << UInt128(128 - length))
                if network != address { hostBits += 1 }
                let life = try readEnd(&cursor)
                insert(network, length, part: 1, life, into: &contents)
            } else if cursor.byte == 45 {
                let last = try readLast(&cursor, column, address, bits: 128)
                let life = try readEnd(&cursor)
                AddressText.networks(from: address, through: last, bits: 128) {
                    insert($0, $1, part: 1, life, into: &contents)
                }
            } else {
                let life = try readEnd(&cursor)
                insert(address, 128, part: 1, life, into: &contents)
            }
        } else {
            cursor.place = first.baseAddress ?? cursor.place
            throw ElementProblem(
                column, "\(ElementProblem.excerpt(cursor.word())) is no network",
                expected: "something like 192.0.2.0/24, 2001:db8::/32, an address, or a range of addresses")
        }
    }

    private func readLength(_ cursor: inout TextCursor, bits: UInt64) throws(ElementProblem) -> Int {
        cursor.place += 1
        let column = cursor.column
        guard let length = cursor.number(upTo: bits) else {
            throw ElementProblem(
                column, "\(ElementProblem.excerpt(cursor.word())) is no length of a network",
                expected: "0 to \(bits) bits")
        }
        return Int(length)
    }

    private func readLast(
        _ cursor: inout TextCursor, _ start: Int, _ first: UInt128, bits: Int
    ) throws(ElementProblem) -> UInt128 {
        cursor.place += 1
        let column = cursor.column
        let text = cursor.addressBytes()
        let last = bits == 32 ? AddressText.ipv4(text).map { UInt128($0) } : AddressText.ipv6(text)
        guard let last else {
            cursor.place = text.baseAddress ?? cursor.place
            throw ElementProblem(
                column,
                "\(ElementProblem.excerpt(cursor.word())) is no \(bits == 32 ? "IPv4" : "IPv6") address",
                expected: "a range has two addresses of one family")
        }
        guard first <= last else {
            throw ElementProblem(
                start, "the range ends before it begins", expected: "the lower address first")
        }
        return last
    }

    private func insert(
        _ network: UInt128, _ length: Int, part: Int, _ life: UInt32, into contents: inout SetContents
    ) {
        key.storeBytes(of: UInt32(length), as: UInt32.self)
        if part == 0 {
            key.storeBytes(
                of: UInt32(truncatingIfNeeded: network).bigEndian, toByteOffset: 4, as: UInt32.self)
        } else {
            store(network, at: 4)
        }
        contents.insert(UnsafeRawPointer(key), part: part, life: life)
    }

    /// An address of 16 bytes in network order.
    private func store(_ address: UInt128, at offset: Int) {
        key.storeBytes(
            of: UInt64(truncatingIfNeeded: address >> 64).bigEndian, toByteOffset: offset, as: UInt64.self)
        key.storeBytes(
            of: UInt64(truncatingIfNeeded: address).bigEndian, toByteOffset: offset + 8, as: UInt64.self)
    }

    // MARK: Numbers

    private mutating func readNumbers(
        _ cursor: inout TextCursor, _ kind: SetDeclaration.Kind, into contents: inout SetContents
    ) throws(ElementProblem) {
        let column = cursor.column
        let first = try readNumber(&cursor, kind)
        var last = first
        if cursor.take(45) {
            last = try readNumber(&cursor, kind)
            guard first <= last else {
                throw ElementProblem(
                    column, "the range ends before it begins", expected: "the lower number first")
            }
        }
        let life = try readEnd(&cursor)
        for number in first...last {
            key.storeBytes(of: UInt32(number), as: UInt32.self)
            contents.insert(UnsafeRawPointer(key), part: 0, life: life)
        }
    }

    private func readNumber(
        _ cursor: inout TextCursor, _ kind: SetDeclaration.Kind
    ) throws(ElementProblem) -> UInt16 {
        let column = cursor.column
        let (limit, name): (UInt64, String) =
            switch kind {
            case .port: (65535, "port")
            case .vlan: (4095, "VLAN id")
            default: (255, "protocol")
            }
        if let number = cursor.number(upTo: limit) { return UInt16(number) }
        let word = cursor.word()
        let text = String(decoding: word, as: UTF8.self)
        switch kind {
        case .port: if let number = ServiceNames.table.value(of: text) { return UInt16(clamping: number) }
        case .protocol:
            if let number = ProtocolNames.table.value(of: text) { return UInt16(clamping: number) }
        default: break
        }
        throw ElementProblem(
            column, "\(ElementProblem.excerpt(word)) is no \(name)",
            expected: kind == .protocol
                ? "a number from 0 to 255, or a name like tcp" : "a number from 0 to \(limit)")
    }

    // MARK: Tuples and everything else

    private mutating func readComponents(
        _ cursor: inout TextCursor, into contents: inout SetContents
    ) throws(ElementProblem) {
        var size = 0
        var bits = 0
        for (place, kind) in kinds.enumerated() {
            if place > 0 {
                cursor.skipBlanks()
                guard cursor.take(46) else {
                    throw ElementProblem(
                        cursor.column, "the element has \(place) of \(kinds.count) components",
                        expected:
                            "\(kinds.map(\.rawValue).joined(separator: " . ")), with a dot between blanks")
                }
                cursor.skipBlanks()
            }
            let column = cursor.column
            switch kind {
            case .address, .prefix:
                let text = cursor.addressBytes()
                let found: Int
                if let address = AddressText.ipv4(text) {
                    key.storeBytes(of: address.bigEndian, toByteOffset: size, as: UInt32.self)
                    found = 32
                } else if let address = AddressText.ipv6(text) {
                    store(address, at: size)
                    found = 128
                } else {
                    cursor.place = text.baseAddress ?? cursor.place
                    throw ElementProblem(
                        column, "\(ElementProblem.excerpt(cursor.word())) is no address",
                        expected: "something like 192.0.2.1 or 2001:db8::1")
                }
                if cursor.byte == 47 {
                    // A network of one address is as good as the address.
                    guard try readLength(&cursor, bits: UInt64(found)) == found else {
                        throw ElementProblem(
                            column, "this set holds single addresses, and that is a network",
                            remedy: "declare the set with `prefix` instead of `address`")
                    }
                } else if cursor.byte == 45 {
                    throw ElementProblem(
                        column, "this set holds single addresses, and that is a range",
                        remedy: "declare the set with `prefix` instead of `address`")
                }
                guard bits == 0 || bits == found else {
                    throw ElementProblem(
                        column, "the element has addresses of both families",
                        expected: "all of IPv4, or all of IPv6")
                }
                bits = found
                size += found / 8
            case .port, .protocol, .vlan:
                key.storeBytes(of: UInt32(try readNumber(&cursor, kind)), toByteOffset: size, as: UInt32.self)
                size += 4
            case .mac:
                try readMAC(&cursor, at: size)
                size += 8
            case .interface:
                let word = cursor.word()
                let name = String(decoding: word, as: UTF8.self)
                guard (1...15).contains(word.count), word.allSatisfy({ (33...126).contains($0) && $0 != 47 })
                else {
                    throw ElementProblem(
                        column, "\(ElementProblem.excerpt(word)) is no name of an interface",
                        expected: "something like eth0")
                }
                if let index = interface(name) {
                    key.storeBytes(of: index, toByteOffset: size, as: UInt32.self)
                } else {
                    if !unknownInterfaces.contains(name) { unknownInterfaces.append(name) }
                    return
                }
                size += 4
            }
        }
        let life = try readEnd(&cursor)
        contents.insert(UnsafeRawPointer(key), part: bits == 128 ? 1 : 0, life: life)
    }

    private func readMAC(_ cursor: inout TextCursor, at offset: Int) throws(ElementProblem) {
        let column = cursor.column
        let word = cursor.word()
        let isWhole =
            word.count == 17
            && (0..<6).allSatisfy { place in
                guard place == 0 || word[place * 3 - 1] == 58 || word[place * 3 - 1] == 45,
                    let high = Character(UnicodeScalar(word[place * 3])).hexDigitValue,
                    let low = Character(UnicodeScalar(word[place * 3 + 1])).hexDigitValue
                else { return false }
                key.storeBytes(of: UInt8(high * 16 + low), toByteOffset: offset + place, as: UInt8.self)
                return true
            }
        guard isWhole else {
            throw ElementProblem(
                column, "\(ElementProblem.excerpt(word)) is no MAC address",
                expected: "something like 02:00:00:00:00:01")
        }
        key.storeBytes(of: 0, toByteOffset: offset + 6, as: UInt16.self)
    }
}

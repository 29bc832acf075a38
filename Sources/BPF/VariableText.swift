// SPDX-License-Identifier: Apache-2.0

/// Values of global variables as a user types them.
enum VariableText {
    /// The bytes of a value; nil if the text is none for the type.
    static func encode(_ text: String, as type: UInt32, size: Int, in btf: BTFView) -> [UInt8]? {
        let id = btf.resolved(type)
        switch btf.kind(id) {
        case 1:
            let bytes = integer(text, size: size, isSigned: isSigned(id, in: btf))
            // The compiler takes for granted that a truth value is 0 or 1.
            return btf.name(id) == "_Bool" && (bytes?[0] ?? 0) > 1 ? nil : bytes
        case 6:
            if let value = btf.enumerators(of: id).first(where: { $0.name == text })?.value {
                return bytes(Int64(value), size)
            }
            return integer(text, size: size, isSigned: true)
        case 3:
            guard let (element, count) = btf.array(id), btf.type(btf.resolved(element))?.pointee.size == 1
            else {
                return nil
            }
            let characters = Array(text.utf8)
            // The last byte stays NUL, so that the program finds the end.
            guard characters.count < count else { return nil }
            return characters + [UInt8](repeating: 0, count: Int(count) - characters.count)
        default: return nil
        }
    }

    /// What a value of the type looks like, for messages.
    static func describe(_ type: UInt32, in btf: BTFView) -> String {
        let id = btf.resolved(type)
        switch btf.kind(id) {
        case 1:
            let bits = (btf.type(id)?.pointee.size ?? 0) * 8
            return btf.name(id) == "_Bool"
                ? "true or false"
                : "\(isSigned(id, in: btf) ? "a signed" : "an unsigned") number of \(bits) bits"
        case 6: return "one of \(btf.enumerators(of: id).map(\.name).joined(separator: ", "))"
        case 3: return "a text of at most \((btf.array(id)?.count ?? 1) - 1) bytes"
        default: return "a variable of a structure type, which cannot be set"
        }
    }

    private static func isSigned(_ id: UInt32, in btf: BTFView) -> Bool {
        guard let type = btf.type(id) else { return false }
        return UnsafeRawPointer(type.advanced(by: 1)).load(as: UInt32.self) >> 24 & 1 == 1
    }

    private static func integer(_ text: String, size: Int, isSigned: Bool) -> [UInt8]? {
        if text == "true" { return bytes(1, size) }
        if text == "false" { return bytes(0, size) }
        let isNegative = text.hasPrefix("-")
        let digits = isNegative ? text.dropFirst() : text[...]
        let isHexadecimal = digits.hasPrefix("0x") || digits.hasPrefix("0X")
        let number = isHexadecimal ? digits.dropFirst(2) : digits
        // UInt64 would take a sign of its own.
        guard number.first?.isHexDigit == true,
            let magnitude = UInt64(number, radix: isHexadecimal ? 16 : 10), (1...8).contains(size)
        else { return nil }
        let bits = UInt64(size * 8)
        let largest: UInt64 = bits == 64 ? .max : (1 << bits) - 1
        if isNegative {
            guard isSigned, magnitude <= largest / 2 + 1 else { return nil }
            return bytes(Int64(truncatingIfNeeded: 0 &- magnitude), size)
        }
        // A hexadecimal number is a pattern of bits, also for a signed variable.
        guard magnitude <= (isSigned && !isHexadecimal ? largest / 2 : largest) else { return nil }
        return bytes(Int64(truncatingIfNeeded: magnitude), size)
    }

    private static func bytes(_ value: Int64, _ size: Int) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0.prefix(size)) }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Names of programs and maps: at most 15 bytes of letters, digits, `_` and `.` (BPF_OBJ_NAME_LEN).
enum ObjectName {
    static func write(_ name: String, to field: UnsafeMutableRawBufferPointer) {
        for (place, byte) in name.utf8.prefix(field.count - 1).enumerated() {
            let scalar = Unicode.Scalar(byte)
            let isAllowed =
                scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
                || scalar == "_" || scalar == "."
            field[place] = isAllowed ? byte : UInt8(ascii: "_")
        }
    }

    /// Reads a fixed C character array up to its NUL.
    static func read<Field>(_ field: Field) -> String {
        withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

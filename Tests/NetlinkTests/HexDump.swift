// SPDX-License-Identifier: Apache-2.0

/// The bytes of an annotated dump: two hexadecimal digits a byte, `#` begins a remark.
func hex(_ dump: String) -> [UInt8] {
    dump.split(separator: "\n").flatMap { line in
        line.prefix { $0 != "#" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
    }
}

/// The bytes as a dump of four a line, for the eye that compares.
func dump(_ bytes: some Sequence<UInt8>) -> [String] {
    let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return stride(from: 0, to: digits.count, by: 4).map {
        digits[$0..<min($0 + 4, digits.count)].joined(separator: " ")
    }
}

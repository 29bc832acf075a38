// SPDX-License-Identifier: Apache-2.0

/// Bytes as tcpdump's -x and -X show them: lines of 16, each with its offset, in pairs, and the letters that are in them.
public enum HexDump {
    private static let digits = Array("0123456789abcdef".utf8)

    /// The lines, each indented by a tab.
    public static func lines(_ bytes: [UInt8], showsText: Bool) -> [String] {
        stride(from: 0, to: bytes.count, by: 16).map { start in
            let row = bytes[start..<min(start + 16, bytes.count)]
            var line = Array("\t0x".utf8)
            for shift in start < 1 << 16 ? [12, 8, 4, 0] : [16, 12, 8, 4, 0] {
                line.append(digits[start >> shift & 15])
            }
            let bytesColumn = line.count
            line += Array(": ".utf8)
            for (place, byte) in row.enumerated() {
                if place.isMultiple(of: 2) { line.append(UInt8(ascii: " ")) }
                line.append(digits[Int(byte >> 4)])
                line.append(digits[Int(byte & 15)])
            }
            if showsText {
                // A colon and a space, then 16 bytes in pairs.
                while line.count < bytesColumn + 42 { line.append(UInt8(ascii: " ")) }
                line += Array("  ".utf8)
                line += row.map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: ".") }
            }
            return String(decoding: line, as: UTF8.self)
        }
    }

    /// Without any space: `0200c0a8`.
    public static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

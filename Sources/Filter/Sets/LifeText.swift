// SPDX-License-Identifier: Apache-2.0

/// How long elements live, as people write it: `90`, `10m`, `1h30m`, `2d`.
public enum LifeText {
    private static let units: [(UInt8, UInt64)] = [
        (UInt8(ascii: "w"), 604_800), (UInt8(ascii: "d"), 86400), (UInt8(ascii: "h"), 3600),
        (UInt8(ascii: "m"), 60), (UInt8(ascii: "s"), 1),
    ]
    /// Ten years, in seconds.
    public static let limit: UInt64 = 3650 * 86400

    /// Seconds; nil for what is none, is nothing, or is longer than ten years.
    public static func seconds(_ text: String) -> UInt64? {
        let bytes = Array(text.utf8)
        return bytes.withUnsafeBufferPointer { seconds($0) }
    }

    static func seconds(_ text: UnsafeBufferPointer<UInt8>) -> UInt64? {
        var cursor = TextCursor(text)
        var total: UInt64 = 0
        guard !cursor.isAtEnd else { return nil }
        while !cursor.isAtEnd {
            guard let number = cursor.number(upTo: limit) else { return nil }
            var size: UInt64 = 1
            if !cursor.isAtEnd {
                guard let unit = units.first(where: { $0.0 == cursor.byte }) else { return nil }
                size = unit.1
                cursor.place += 1
            }
            total += number * size
            guard total <= limit else { return nil }
        }
        return total == 0 ? nil : total
    }

    /// `9m58s`.
    public static func text(_ seconds: UInt64) -> String {
        var rest = seconds
        var text = ""
        for (unit, size) in units.dropFirst() where rest >= size {
            text += "\(rest / size)\(Character(UnicodeScalar(unit)))"
            rest %= size
        }
        return text.isEmpty ? "0s" : text
    }
}

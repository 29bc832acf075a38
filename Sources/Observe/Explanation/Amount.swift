// SPDX-License-Identifier: Apache-2.0

/// Numbers for people.
enum Amount {
    /// Groups of three digits: "12 345".
    static func grouped(_ value: UInt64) -> String {
        let digits = Array(String(value))
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text.append(" ") }
            text.append(digit)
        }
        return text
    }

    /// "1 packet", "12 345 packets".
    static func packets(_ value: UInt64) -> String {
        "\(grouped(value)) packet\(value == 1 ? "" : "s")"
    }

    /// "73 %".
    static func percent(_ part: Double) -> String { "\(Int((part * 100).rounded())) %" }

    /// "10 s", "2.5 s".
    static func seconds(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
    }
}

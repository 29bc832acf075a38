// SPDX-License-Identifier: Apache-2.0

/// Numbers for people.
enum Number {
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
}

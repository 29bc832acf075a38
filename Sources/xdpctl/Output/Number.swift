// SPDX-License-Identifier: Apache-2.0

/// Numbers for people.
enum Number {
    /// How a number is written, the widest first.
    enum Style: CaseIterable {
        /// In groups of three digits: "12 345 678".
        case grouped
        /// "12345678".
        case plain
        /// With three digits and a letter for thousands, millions and so on: "12.3 M".
        case rounded
    }

    static func text(_ value: UInt64, _ style: Style) -> String {
        switch style {
        case .grouped: grouped(value)
        case .plain: "\(value)"
        case .rounded: rounded(value)
        }
    }

    private static func rounded(_ value: UInt64) -> String {
        var scaled = Double(value)
        var letters = "kMGTPE"[...]
        var letter = ""
        // What is rounded to 1000 is 1 of the next letter.
        while scaled >= 999.5, let next = letters.popFirst() {
            scaled /= 1000
            letter = " \(next)"
        }
        if letter.isEmpty { return "\(value)" }
        return decimal(scaled, scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0) + letter
    }

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

extension Number {
    /// So many digits behind the point.
    static func decimal(_ value: Double, _ places: Int) -> String {
        guard value.isFinite, abs(value) < 1e15 else { return "?" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = UInt64((abs(value) * scale).rounded())
        let whole = grouped(scaled / UInt64(scale))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return sign + whole }
        let fraction = String(scaled % UInt64(scale))
        return sign + whole + "." + String(repeating: "0", count: places - fraction.count) + fraction
    }
}

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

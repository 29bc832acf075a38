// SPDX-License-Identifier: Apache-2.0
import ArgumentParser

/// How long something goes on: "10s", "5m", "1h", and bare seconds, also with a point.
struct TimeSpan: ExpressibleByArgument {
    let seconds: Double

    init(seconds: Double) {
        self.seconds = seconds
    }

    /// `--every` of what is shown again and again goes up to here.
    static let day = TimeSpan(seconds: 86_400)

    var isMoreThanADay: Bool { seconds > Self.day.seconds }

    /// As it can be typed, for the help.
    var defaultValueDescription: String { "\(Number.decimal(seconds, 0))s" }

    init?(argument: String) {
        let number = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let factor: Double? =
            switch argument.dropFirst(number.count) {
            case "", "s": 1
            case "m": 60
            case "h": 3600
            default: nil
            }
        guard let factor, let value = Double(number), (0.1...31_536_000).contains(value * factor) else {
            return nil
        }
        seconds = value * factor
    }
}

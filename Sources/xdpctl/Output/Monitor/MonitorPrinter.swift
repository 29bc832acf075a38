// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Prints the lines of `xdpctl monitor`, each at once, since the reader waits for it.
struct MonitorPrinter {
    private let asJSON: Bool
    /// Advice that was given: once is enough.
    private var advised: Set<String> = []

    init(asJSON: Bool) {
        self.asJSON = asJSON
    }

    mutating func write(_ output: MonitorOutput) {
        if asJSON {
            JSONOutput.printLine(output)
        } else if output.isRemark {
            // Events alone go where others may count them.
            fflush(nil)
            Terminal.error(Terminal.wrapped(output.text, indent: 4))
        } else {
            print(Terminal.wrapped(output.text, indent: 4))
            if output.first == true { explain(output) }
        }
        fflush(nil)
    }

    private mutating func explain(_ output: MonitorOutput) {
        guard let remedy = output.remedy else { return }
        if let meaning = output.meaning {
            print(Terminal.paragraph(Terminal.clean(meaning), indent: 6, column: 4))
        }
        guard advised.insert(remedy).inserted else { return }
        print(Terminal.advice(Terminal.clean(remedy), indent: 8, column: 4))
    }
}

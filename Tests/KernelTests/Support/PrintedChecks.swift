// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// What a check found, as `--json` prints it.
struct PrintedCheck: Decodable {
    let rule: String
    let severity: String
    let subject: String
    let what: String
    let evidence: [String]
    let consequence: String?
    let remedy: String?
}

/// What a command that changes a chain prints, as far as the checks go.
struct PrintedChange: Decodable {
    let outcome: String
    let mode: String
    let checks: [PrintedCheck]
}

/// What came of a command that asks the checks first.
struct CheckedChange {
    let status: Int32
    /// nil where it was refused or failed.
    let change: PrintedChange?
    let failure: PrintedFailure.Content?

    var checks: [PrintedCheck] { change?.checks ?? failure?.checks ?? [] }

    /// "error tx", one for each finding.
    var rules: [String] { checks.map { "\($0.severity) \($0.rule)" } }

    func check(_ rule: String) -> PrintedCheck? { checks.first { $0.rule == rule } }
}

extension ChainBench {
    /// Runs a command that changes a chain, and reads what it prints.
    func checked(_ words: String...) throws -> CheckedChange { try checked(words) }

    func checked(_ words: [String]) throws -> CheckedChange {
        let result = try xdpctl(words + ["--json"])
        let data = Data(result.output.utf8)
        if result.status == 0 {
            return CheckedChange(
                status: 0, change: try JSONDecoder().decode(PrintedChange.self, from: data), failure: nil)
        }
        return CheckedChange(
            status: result.status, change: nil,
            failure: try JSONDecoder().decode(PrintedFailure.self, from: data).error)
    }
}

// SPDX-License-Identifier: Apache-2.0
import XDP

/// A failure on its way to the user.
struct CommandFailure: Error {
    let error: XDPError
    let options: GlobalOptions

    /// Prints it and returns the exit status.
    func report() -> Int32 {
        if options.json {
            JSONOutput.print(FailureReport(error, withDetails: options.verbose))
        } else {
            Self.explain(error, withDetails: options.verbose)
        }
        return switch error.kind {
        case .failed: 1
        case .invalid: 2
        case .refused: 3
        }
    }

    /// Writes an error for people.
    static func explain(_ error: XDPError, withDetails: Bool) {
        // Each finding begins its line with the place, so that editors can go there.
        for finding in error.findings {
            Terminal.error(Terminal.wrapped("\(finding.location): \(finding.what)", indent: 4))
            if let remedy = finding.remedy { Terminal.error(Terminal.paragraph(remedy, indent: 4)) }
        }
        if withDetails, let details = error.details { Terminal.error(details) }
        Terminal.error(Terminal.wrapped("xdpctl: \(error.what):", indent: 8))
        Terminal.error(Terminal.paragraph(error.why, indent: 8))
        for check in error.checks { Terminal.error(CheckOutput(check).text) }
        if let remedy = error.remedy { Terminal.error(Terminal.paragraph(remedy, indent: 8)) }
    }
}

/// What `--json` prints when a command fails.
struct FailureReport: Encodable {
    /// The error itself.
    struct Content: Encodable {
        let kind: String
        let what: String
        let why: String
        let remedy: String?
        let details: String?
        let findings: [FindingOutput]?
        let checks: [CheckOutput]?

        init(_ error: XDPError, withDetails: Bool) {
            kind = error.kind.rawValue
            what = error.what
            why = error.why
            remedy = error.remedy
            details = withDetails ? error.details : nil
            findings = error.findings.isEmpty ? nil : error.findings.map(FindingOutput.init)
            checks = error.checks.isEmpty ? nil : error.checks.map(CheckOutput.init)
        }
    }

    /// One thing that is wrong in a file.
    struct FindingOutput: Encodable {
        let kind: String
        let file: String
        let line: Int?
        let column: Int?
        let what: String
        let remedy: String?

        init(_ finding: Finding) {
            kind = finding.kind.rawValue
            file = finding.file
            line = finding.line
            column = finding.column
            what = finding.what
            remedy = finding.remedy
        }
    }

    let format = 1
    let error: Content

    init(_ error: XDPError, withDetails: Bool) {
        self.error = Content(error, withDetails: withDetails)
    }
}

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
            if options.verbose, let details = error.details { Terminal.error(details) }
            Terminal.error(Terminal.wrapped("xdpctl: \(error.what):", indent: 8))
            Terminal.error(Terminal.paragraph(error.why, indent: 8))
            if let remedy = error.remedy { Terminal.error(Terminal.paragraph(remedy, indent: 8)) }
        }
        return switch error.kind {
        case .failed: 1
        case .invalid: 2
        case .refused: 3
        }
    }
}

/// What `--json` prints when a command fails.
struct FailureReport: Encodable {
    struct Content: Encodable {
        let kind: String
        let what: String
        let why: String
        let remedy: String?
        let details: String?
    }

    let format = 1
    let error: Content

    init(_ error: XDPError, withDetails: Bool) {
        self.error = Content(
            kind: error.kind.rawValue, what: error.what, why: error.why, remedy: error.remedy,
            details: withDetails ? error.details : nil)
    }
}

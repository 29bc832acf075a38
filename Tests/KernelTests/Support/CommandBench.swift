// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import XDP

/// What `--json` prints when a command fails.
struct PrintedFailure: Decodable {
    struct Content: Decodable {
        let kind: String
        let what: String
        let why: String
        let remedy: String?
        let details: String?
        let findings: [Finding]?
        let checks: [PrintedCheck]?
    }

    /// What is wrong in a file.
    struct Finding: Decodable {
        let file: String
        let line: Int?
        let column: Int?
        let what: String
        let remedy: String?
    }

    let format: Int
    let error: Content
}

extension ChainBench {
    /// Runs `xdpctl` in the namespace.
    func xdpctl(_ words: String...) throws -> Subprocess.Result {
        try xdpctl(words)
    }

    /// What it prints with `--json` is held against the schema of the command, in every test.
    func xdpctl(_ words: [String]) throws -> Subprocess.Result {
        let result = try Subprocess.run(Subprocess.binary("xdpctl"), words + ["--netns", path])
        try CommandSchemas.check(words, result)
        return result
    }

    /// Runs `xdpctl` twice, for people and for programs, and reads the failure.
    func failingXDPControl(
        _ words: [String]
    ) throws -> (text: Subprocess.Result, json: Subprocess.Result, failure: PrintedFailure.Content) {
        let text = try xdpctl(words)
        let json = try xdpctl(words + ["--json"])
        let failure = try JSONDecoder().decode(PrintedFailure.self, from: Data(json.output.utf8))
        return (text, json, failure.error)
    }
}

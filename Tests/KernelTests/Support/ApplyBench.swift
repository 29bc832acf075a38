// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import XDP

/// What `apply --json` prints, as far as tests look at it.
struct PrintedApply: Decodable {
    struct Step: Decodable {
        let action: String
        let member: String?
        let detail: String?

        /// "add ids".
        var text: String { member.map { "\(action) \($0)" } ?? action }
    }

    struct Interface: Decodable {
        let interface: String
        let file: String?
        let outcome: String
        let swaps: Int
        let steps: [Step]
        let notes: [String]?
        let checks: [PrintedCheck]?
        let error: PrintedFailure.Content?
    }

    let dryRun: Bool
    let interfaces: [Interface]
}

/// An interface as a file describes it, for tests.
struct DescribedInterface {
    var name = "near"
    var settings: [String] = []
    var members: [String]

    var text: String {
        (["  \(name):"] + settings.map { "    \($0)" }
            + [members.isEmpty ? "    members: []" : "    members:"] + members.map { "      - { \($0) }" })
            .joined(separator: "\n") + "\n"
    }
}

extension TemporaryDirectory {
    /// Writes a file that describes interfaces.
    @discardableResult
    func describe(
        _ interfaces: DescribedInterface..., as name: String = "chains.yaml"
    ) throws -> String {
        try write(name, "version: 1\ninterfaces:\n" + interfaces.map(\.text).joined())
    }

    /// Writes a file for `near` alone.
    @discardableResult
    func describe(_ members: String..., settings: [String] = []) throws -> String {
        try describe(DescribedInterface(settings: settings, members: members))
    }
}

extension ChainBench {
    /// Runs `xdpctl apply --json` and reads what it prints; throws where it printed a failure instead.
    func apply(_ words: String..., expecting status: Int32 = 0) throws -> [PrintedApply.Interface] {
        let result = try xdpctl(["apply"] + words + ["--json"])
        guard result.status == status else { throw Subprocess.Failure(what: result.description) }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(PrintedApply.self, from: Data(result.output.utf8)).interfaces
    }
}

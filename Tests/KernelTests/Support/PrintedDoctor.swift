// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

/// What `doctor --json` printed.
struct PrintedDoctor: Decodable {
    struct Counts: Decodable {
        let error: Int
        let warning: Int
        let note: Int
        let fine: Int
    }

    struct Finding: Decodable {
        let group: String
        let rule: String
        let severity: String
        let subject: String
        let what: String
        let evidence: [String]
        let consequence: String?
        let remedy: String?
    }

    let format: Int
    let profile: String
    let kernel: String
    let counts: Counts
    let findings: [Finding]
    /// The command's exit status.
    private(set) var status: Int32 = 0

    enum CodingKeys: CodingKey {
        case format, profile, kernel, counts, findings
    }

    init(_ result: Subprocess.Result) throws {
        try #require(result.status == 0 || result.status == 3, "\(result)")
        self = try JSONDecoder().decode(Self.self, from: Data(result.output.utf8))
        status = result.status
    }

    /// Runs it outside of any bench.
    init(_ words: String...) throws {
        let result = try Subprocess.run(Subprocess.binary("xdpctl"), ["doctor", "--json"] + words)
        try CommandSchemas.check(["doctor", "--json"], result)
        try self.init(result)
    }

    /// Runs it for the namespace of a bench.
    init(_ bench: ChainBench, _ words: String...) throws {
        try self.init(bench.xdpctl(["doctor", "--json"] + words))
    }
}

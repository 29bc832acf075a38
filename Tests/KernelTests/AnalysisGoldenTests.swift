// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport
import Testing

@testable import XDP

/// What the analysis says of programs that others wrote: one line each, in a file that a reader can check. Needs
/// root, and the packages xdp-tools and libxdp1.
@Suite("Analysis of packaged programs")
struct AnalysisGoldenTests {
    /// Below this file.
    private static let path =
        "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/") + "/Golden/analysis.txt"

    @Test("the verdicts and uses of packaged programs are those in the file")
    func golden() throws {
        let expected = try String(contentsOfFile: Self.path, encoding: .utf8)
            .split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        var found: [String] = []
        for (path, program) in try AnalysedProgram.packaged() {
            let name = path.split(separator: "/").last ?? ""
            found.append("\(name) \(program): \(try AnalysedProgram(path: path, program: program).summary)")
        }
        #expect(found == expected, "\(found.joined(separator: "\n"))")
    }
}

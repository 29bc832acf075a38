// SPDX-License-Identifier: Apache-2.0
import Foundation
import TestSupport

/// All compiled fixtures, by name.
enum Fixtures {
    static func all() throws -> Set<String> {
        let names = try FileManager.default.contentsOfDirectory(atPath: Fixture.directory + "/fixtures")
        return Set(names.filter { $0.hasSuffix(".o") }.map { String($0.dropLast(2)) })
    }
}

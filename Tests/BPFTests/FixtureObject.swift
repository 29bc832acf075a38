// SPDX-License-Identifier: Apache-2.0
import BPF
import Foundation
import TestSupport

/// Opens a fixture.
func open(_ fixture: String) throws -> ObjectFile {
    let path = try Fixture.path(fixture)
    return try ObjectFile(bytes: [UInt8](Data(contentsOf: URL(fileURLWithPath: path))), name: path)
}

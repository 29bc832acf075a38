// SPDX-License-Identifier: Apache-2.0
import Testing

extension Test {
    /// Ends the test, or the one case of it, as skipped, and says so: a case that is cancelled would otherwise be
    /// among those that passed. `Scripts/test-kernels` collects the lines.
    static func skip(_ reason: String) throws -> Never {
        print("skipped: \"\(current?.displayName ?? current?.name ?? "a test")\": \(reason)")
        try cancel("\(reason)")
    }
}

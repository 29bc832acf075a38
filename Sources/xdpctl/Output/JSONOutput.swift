// SPDX-License-Identifier: Apache-2.0
import FoundationEssentials
import Synchronization

/// Prints a value as JSON: keys sorted and in snake_case, so that the output of two versions can be compared.
enum JSONOutput {
    /// Whether the output has an object a line: then that is so to its end, also where that is a failure.
    private static let isStream = Atomic(false)

    static func print(_ value: some Encodable) {
        guard !isStream.load(ordering: .relaxed) else { return printLine(value) }
        write(value, [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    }

    /// In one line, for what never ends.
    static func printLine(_ value: some Encodable) {
        isStream.store(true, ordering: .relaxed)
        write(value, [.sortedKeys, .withoutEscapingSlashes])
    }

    private static func write(_ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting) {
        guard let text = text(value, formatting) else { return }
        Swift.print(text)
    }

    /// As ``printLine(_:)`` prints it.
    static func line(_ value: some Encodable) -> String {
        text(value, [.sortedKeys, .withoutEscapingSlashes]) ?? ""
    }

    private static func text(
        _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting
    ) -> String? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        encoder.keyEncodingStrategy = .convertToSnakeCase
        guard let data = try? encoder.encode(value) else {
            Terminal.error("xdpctl: the result cannot be written as JSON")
            return nil
        }
        return String(decoding: data, as: UTF8.self)
    }
}

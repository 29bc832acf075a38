// SPDX-License-Identifier: Apache-2.0

/// What was read of the machine, or why it could not be read: never a guess.
public enum Fact<Value: Sendable & Hashable>: Sendable, Hashable {
    case known(Value)
    /// Why not, as part of a sentence: "/boot/config: Permission denied".
    case unknown(String)

    /// nil where it is unknown.
    public var value: Value? {
        if case .known(let value) = self { return value }
        return nil
    }

    /// Reads something out of what was read; nil for what makes no sense.
    func read<Result>(
        orUnknown reason: @autoclosure () -> String, _ body: (Value) -> Result?
    ) -> Fact<Result> {
        switch self {
        case .unknown(let reason): .unknown(reason)
        case .known(let value): body(value).map { .known($0) } ?? .unknown(reason())
        }
    }
}

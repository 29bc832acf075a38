// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// A value, where it was made, and which others are copies of it.
struct TrackedValue: Hashable {
    /// An instruction that made the value, and the constant if it made one.
    struct Origin: Hashable {
        var instruction: Int
        /// The lower half.
        var constant: UInt32?
    }

    /// What links copies of one number: comparing one of them says something about the others.
    struct Link: Hashable {
        enum Form: Hashable {
            /// The number itself.
            case same
            /// Its lower half, with zeros or the sign above.
            case low, signedLow
            /// Its lower half in the upper one, on the way to one of these.
            case shifted
        }

        /// The instruction that made the first copy.
        var identity: Int
        var form: Form
    }

    /// More origins are not told apart.
    private static let originLimit = 24

    var value: AnalysisValue
    var origins: [Origin]
    /// Whether some origins were left out.
    var hasMoreOrigins = false
    var link: Link?

    init(_ value: AnalysisValue, origins: [Origin] = [], link: Link? = nil) {
        self.value = value
        self.origins = origins
        self.link = link
    }

    /// A value made by an instruction.
    init(_ value: AnalysisValue, at instruction: Int) {
        let constant = value.number?.constant.map { UInt32(truncatingIfNeeded: $0) }
        self.init(value, origins: [Origin(instruction: instruction, constant: constant)])
    }

    static let unknown = TrackedValue(.unknown)

    /// The value without what only holds in its own function.
    var unlinked: TrackedValue {
        var copy = self
        copy.link = nil
        return copy
    }

    func joined(_ other: Self, widening: AnalysisValue.Widening = .none) -> Self {
        if self == other { return self }
        var both = TrackedValue(value.joined(other.value, widening: widening))
        both.origins = origins
        both.hasMoreOrigins = hasMoreOrigins || other.hasMoreOrigins
        if origins != other.origins {
            for origin in other.origins where !both.origins.contains(origin) {
                if both.origins.count < Self.originLimit {
                    both.origins.append(origin)
                } else {
                    both.hasMoreOrigins = true
                }
            }
            both.origins.sort {
                ($0.instruction, $0.constant ?? .max) < ($1.instruction, $1.constant ?? .max)
            }
        }
        both.link = link == other.link ? link : nil
        return both
    }

    /// The same value when more is known of its number.
    func narrowed(to number: NumberSet) -> Self {
        var copy = self
        copy.value = .number(number)
        if origins.count > 1 {
            copy.origins.removeAll { origin in origin.constant.map { !number.lowContains($0) } ?? false }
        }
        return copy
    }
}

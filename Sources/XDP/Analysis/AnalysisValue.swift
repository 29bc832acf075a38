// SPDX-License-Identifier: Apache-2.0
import Bytecode

/// What a register or a place in a frame can hold.
///
/// Pointers are told apart only where it matters: to the context, whose fields are a use; to frames, through
/// which values come back; to maps, which redirects and tail calls name. Every other pointer, of a packet or a
/// map's value, is a number of which nothing is known: nothing reached through it is in a frame, because
/// the verifier lets no frame's address be stored anywhere but in a frame.
enum AnalysisValue: Hashable {
    case number(NumberSet)
    /// An offset from the context.
    case context(NumberSet)
    /// A frame, by its depth, and an offset from its end.
    case frame(Int, NumberSet)
    /// A map out of these.
    case maps([Int])
    /// An offset into the only value of a map.
    case mapValue(Int, NumberSet)
    /// A subprogram, by its number.
    case function(Int)
    /// Anything, these included.
    case mixed(Mixture)

    /// What a mixed value can be besides a number.
    struct Mixture: OptionSet, Hashable {
        let rawValue: UInt8
        static let frame = Mixture(rawValue: 1)
        static let context = Mixture(rawValue: 2)
        static let function = Mixture(rawValue: 4)
    }

    static let unknown = AnalysisValue.number(.full)
    static let anything = AnalysisValue.mixed([.frame, .context, .function])

    /// The number, if it is one.
    var number: NumberSet? {
        if case .number(let number) = self { return number }
        return nil
    }

    /// What it can be besides a number, as far as it matters.
    var mixture: Mixture {
        switch self {
        case .number, .maps, .mapValue: []
        case .context: .context
        case .frame: .frame
        case .function: .function
        case .mixed(let mixture): mixture
        }
    }

    var mayBeFrame: Bool { mixture.contains(.frame) }

    /// Either of two; `widening` for a loop that has been gone through often enough.
    func joined(_ other: Self, widening: Widening = .none) -> Self {
        if self == other { return self }
        switch (self, other) {
        case (.number(let own), .number(let their)):
            return .number(widening.join(own, their))
        case (.context(let own), .context(let their)):
            return .context(widening.join(own, their))
        case (.frame(let depth, let own), .frame(let same, let their)) where depth == same:
            return .frame(depth, widening.join(own, their))
        case (.maps(let own), .maps(let their)):
            return .maps(Set(own + their).sorted())
        case (.mapValue(let map, let own), .mapValue(let same, let their)) where map == same:
            return .mapValue(map, widening.join(own, their))
        default:
            let mixture = mixture.union(other.mixture)
            return mixture.isEmpty ? .unknown : .mixed(mixture)
        }
    }

    /// How much is given up where a loop comes back.
    enum Widening {
        case none, some, all

        func join(_ old: NumberSet, _ new: NumberSet) -> NumberSet {
            switch self {
            case .none: old.joined(new)
            case .some: old.widened(to: new)
            case .all: old.joined(new) == old ? old : .full
            }
        }
    }
}

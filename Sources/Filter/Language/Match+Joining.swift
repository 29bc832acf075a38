// SPDX-License-Identifier: Apache-2.0

extension Match {
    /// No packet.
    public static let never = Match.not(.always)

    /// All of them, in the normal form: no `all` directly within `all`, no `always` in it, at least two of them.
    public static func joined(_ parts: [Match]) -> Match {
        var flat: [Match] = []
        for part in parts {
            switch part {
            case .always: break
            case .all(let inner): flat += inner
            case .never: return .never
            default: flat.append(part)
            }
        }
        return flat.isEmpty ? .always : flat.count == 1 ? flat[0] : .all(flat)
    }

    /// One of them, in the normal form.
    public static func either(_ parts: [Match]) -> Match {
        var flat: [Match] = []
        for part in parts {
            switch part {
            case .never: break
            case .any(let inner): flat += inner
            case .always: return .always
            default: flat.append(part)
            }
        }
        return flat.isEmpty ? .never : flat.count == 1 ? flat[0] : .any(flat)
    }

    /// The others, in the normal form.
    public var opposite: Match {
        if case .not(let inner) = self { return inner }
        return .not(self)
    }

    /// The same packets, in the form in which text is read: what two equal texts say is equal.
    public var normalized: Match {
        switch self {
        case .always, .test: self
        case .all(let parts): .joined(parts.map(\.normalized))
        case .any(let parts): .either(parts.map(\.normalized))
        case .not(let inner): inner.normalized.opposite
        }
    }
}

extension Rule {
    /// With its match in the normal form.
    public var normalized: Rule {
        var copy = self
        copy.match = match.normalized
        return copy
    }
}

extension RuleSet {
    /// With all matches in the normal form; what ``text`` says and ``RuleFile`` reads back.
    public var normalized: RuleSet {
        var copy = self
        copy.rules = rules.map(\.normalized)
        copy.groups = groups.map { group in
            var group = group
            group.rules = group.rules.map(\.normalized)
            return group
        }
        return copy
    }
}

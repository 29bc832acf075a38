// SPDX-License-Identifier: Apache-2.0
import XDP

/// Rules on their way to an interface, and where they come from.
public struct FilterSource: Sendable, Hashable {
    /// Files of sets by absolute path.
    public var rules: RuleSet
    /// The absolute path of the rule file; empty where the rules come from nowhere that can be read again.
    public var path: String
    /// Whether files of sets that stay are looked at again.
    var rereadsSets = true
    /// Whether the filter shall handle packets of several buffers; nil: where the interface or the chain needs it.
    public var handlesFrags: Bool?
    /// Sets that are full, and for how many elements they shall have room.
    var rooms: [String: Int] = [:]

    /// - Parameters:
    ///   - path: of the file that was read; nil for standard input and the like, whose relative paths of set
    ///     files begin in the working directory.
    public init(_ rules: RuleSet, path: String?) {
        self.rules = rules
        self.path = path.map(ObjectBytes.absolute) ?? ""
        let directory =
            path == nil ? ObjectBytes.absolute(".") : Self.plain("\(self.path)/..")
        for place in rules.sets.indices {
            guard let file = rules.sets[place].file else { continue }
            self.rules.sets[place].file = Self.plain(file.hasPrefix("/") ? file : "\(directory)/\(file)")
        }
    }

    /// Rules derived from those that run.
    init(_ rules: RuleSet, like filter: LiveFilter) {
        self.rules = rules
        path = filter.record.path
        rereadsSets = false
        handlesFrags = filter.member.unit.supportsFrags
    }

    /// A path without `.` and `..`. Links are not followed: a list may be one that leads to the newest file.
    private static func plain(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

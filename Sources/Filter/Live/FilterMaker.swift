// SPDX-License-Identifier: Apache-2.0
import XDP

/// Makes a filter as a member of a chain that is described as a whole.
public struct FilterMaker: MemberMaker {
    let source: FilterSource

    public init(_ source: FilterSource) {
        self.source = source
    }

    public var origin: String { source.path.isEmpty ? "rules" : source.path }

    public func differences(from present: Member) -> [String] {
        guard LiveFilter.isFilter(present) else { return ["it is no filter"] }
        guard let live = (try? LiveFilter(present, called: present.name)) ?? nil else {
            return ["its record cannot be read"]
        }
        var reasons: [String] = []
        if live.record.text != source.rules.text { reasons.append("other rules") }
        for set in source.rules.sets where set.file != nil && live.rules.set(set.name) == set {
            let contents = try? SetSource(set, directory: "").read()
            if contents?.digest != live.record.sets[set.name] {
                reasons.append("the file of set \(set.name) changed")
            }
        }
        if reasons.isEmpty, live.record.path != source.path { reasons.append("another rule file") }
        return reasons
    }

    public func make(_ name: String, replacing present: Member?) throws(XDPError) -> MadeMember {
        var former: LiveFilter?
        if let present { former = try LiveFilter(present, called: name) }
        let built = try FilterBuilder(
            source: source, former: former,
            compile: { (input) throws(XDPError) in try FilterCompiler.compile(input) }
        ).build(named: name)
        return MadeMember(member: built.member, maps: built.maps) { built.finish() }
    }
}

extension LiveFilter {
    /// The chain as it is when nobody confirms the new rules that wait in it.
    public static func unconfirmed(_ chain: Chain) -> Chain {
        var chain = chain
        for name in names(in: chain) { try? chain.takeBack(name) }
        return chain
    }

    /// Whether a rule file says what runs now.
    var isInFile: Bool {
        guard !record.path.isEmpty, let bytes = try? RuleFile.bytes(of: record.path),
            let rules = try? RuleFile.parse(bytes, file: record.path)
        else { return false }
        return FilterSource(rules, path: record.path).rules.text == record.text
    }
}

/// What a file for a whole chain says of a filter.
public enum FilterDescription: Sendable, Hashable {
    case file(String)
    /// - Parameter path: the file that the rules came from, and that says something else by now.
    case text(String, not: String?)

    /// nil for a member that is no filter, or whose record cannot be read.
    public init?(_ member: Member) {
        guard let live = (try? LiveFilter(member, called: member.name)) ?? nil else { return nil }
        let path = live.record.path
        self = live.isInFile ? .file(path) : .text(live.record.text, not: path.isEmpty ? nil : path)
    }
}

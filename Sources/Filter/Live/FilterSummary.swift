// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// What a member of a chain is to filters, without looking at its rules.
public enum FilterSummary: Sendable, Hashable {
    /// - Parameters:
    ///   - rules: how many, those of groups too.
    ///   - path: of the rule file; nil where it came from none.
    case filter(rules: Int, sets: Int, path: String?)
    case gate(FilterGate)

    /// What can be read of a member; nil for another one, and where its record cannot be read.
    public init?(_ member: Member) {
        if let gate = FilterGate(member) {
            self = .gate(gate)
            return
        }
        guard LiveFilter.isFilter(member),
            case .success(let record)? = (try? FilterRecord.find(in: member)) ?? nil
        else { return nil }
        self = .filter(
            rules: Int(record.ruleCount), sets: record.sets.count,
            path: record.path.isEmpty ? nil : record.path)
    }
}

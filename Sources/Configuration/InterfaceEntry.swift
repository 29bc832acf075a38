// SPDX-License-Identifier: Apache-2.0
import XDP

/// What a file says of one interface.
public struct InterfaceEntry: Sendable {
    /// What a finding can point at.
    public enum Part: Sendable, Hashable {
        case interface, mode, counters, members
        case member(String)
        /// A key of a member: `object`, `sha256`; with a second one inside: `on` and `drop`.
        case value(member: String, key: String, inner: String? = nil)
    }

    public let file: String
    public let name: String
    public internal(set) var specification = ChainSpecification()
    var places: [Part: SourcePlace]

    init(file: String, name: String, place: SourcePlace) {
        self.file = file
        self.name = name
        places = [.interface: place]
    }

    /// A finding about a part; where that is not written down, about what it would stand in.
    public func finding(
        _ kind: XDPError.Kind, at part: Part, _ what: String, remedy: String? = nil
    ) -> Finding {
        let place = place(of: part)
        return Finding(kind, file: file, line: place?.line, column: place?.column, what, remedy: remedy)
    }

    private func place(of part: Part) -> SourcePlace? {
        if let place = places[part] { return place }
        switch part {
        case .interface: return nil
        case .mode, .counters, .members, .member: return place(of: .interface)
        case .value(let member, let key, let inner):
            return inner == nil ? place(of: .member(member)) : place(of: .value(member: member, key: key))
        }
    }
}

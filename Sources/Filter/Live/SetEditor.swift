// SPDX-License-Identifier: Apache-2.0
import XDP

/// Changes the elements of one set of a filter on an interface, in place, while packets are looked up in it.
///
/// A change that meets another filter afterwards, because somebody applied rules meanwhile, is made there as well.
public struct SetEditor: Sendable {
    public let interface: Interface
    /// Which filter; nil for the only one.
    public var name: String?
    public let set: String

    /// How often the filter may be exchanged while a set is changed.
    private static let patience = 20

    public init(_ set: String, on interface: Interface, name: String? = nil) {
        self.set = set
        self.interface = interface
        self.name = name
    }

    /// The filter that has the set.
    public func filter() throws(XDPError) -> LiveFilter {
        try LiveFilter.find(on: interface, name: name)
    }

    /// What the set is.
    public func declaration() throws(XDPError) -> SetDeclaration {
        let filter = try filter()
        if let declaration = filter.rules.set(set) { return declaration }
        // Says which sets there are.
        _ = try filter.store(ofSet: set)
        throw XDPError(.refused, "The set \(set) cannot be found", because: "there is none of that name")
    }

    /// Adds elements, or gives those that are there another life; makes room where there is none.
    public func add(_ contents: SetContents) throws(XDPError) -> SetChange {
        try change { store throws(XDPError) in try store.add(contents) }
    }

    /// Removes elements.
    public func delete(_ contents: SetContents) throws(XDPError) -> SetChange {
        try change { store throws(XDPError) in try store.delete(contents) }
    }

    /// Removes all elements.
    public func flush() throws(XDPError) -> SetChange {
        try change { store throws(XDPError) in try store.flush() }
    }

    /// All elements.
    public func list() throws(XDPError) -> SetListing {
        try reading { store throws(XDPError) in try store.list() }
    }

    /// Which of several elements are in the set.
    public func contains(_ elements: [SetContents]) throws(XDPError) -> [Bool] {
        try reading { store throws(XDPError) in
            var found: [Bool] = []
            for element in elements { found.append(try store.contains(element)) }
            return found
        }
    }

    private func change(_ body: (SetStore) throws(XDPError) -> SetChange) throws(XDPError) -> SetChange {
        var first: SetChange?
        var expired = 0
        for _ in 0..<Self.patience {
            let filter = try filter()
            let result = try body(try filter.store(ofSet: set))
            expired += result.expired
            // What the first try found is what the user asked about.
            var answer = first ?? result
            answer.expired = expired
            first = answer
            if let room = result.neededRoom {
                var editor = FilterEditor(interface)
                editor.name = filter.name
                _ = try editor.enlarge(set, toHold: room)
                first?.neededRoom = nil
                first?.grewTo = room
                continue
            }
            if try isCurrent(filter) { return answer }
        }
        throw tooOften()
    }

    private func reading<Result>(
        _ body: (SetStore) throws(XDPError) -> Result
    ) throws(XDPError) -> Result {
        for _ in 0..<Self.patience {
            let filter = try filter()
            let result = try body(try filter.store(ofSet: set))
            if try isCurrent(filter) { return result }
        }
        throw tooOften()
    }

    /// Whether the filter on the interface has the maps still that this one has.
    private func isCurrent(_ filter: LiveFilter) throws(XDPError) -> Bool {
        try self.filter().maps(ofSet: set) == filter.maps(ofSet: set)
    }

    private func tooOften() -> XDPError {
        XDPError(
            .failed, "The set \(set) on \(interface.name) cannot be worked on",
            because: "its filter is exchanged again and again", remedy: "Try again, or see who changes it")
    }
}

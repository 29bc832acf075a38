// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

extension LiveFilter {
    /// A set of the filter, open.
    public func store(ofSet name: String) throws(XDPError) -> SetStore {
        guard let declaration = rules.set(name) else {
            throw XDPError(
                .refused, "The set \(name) cannot be found",
                because: "the filter \(self.name) has no such set",
                remedy: rules.sets.isEmpty
                    ? "It has no sets" : "It has \(rules.sets.map(\.name).joined(separator: ", "))")
        }
        let layout = SetLayout(declaration)
        let ids = maps(ofSet: name)
        var handles: [MapHandle] = []
        let state: MapHandle?
        do throws(BPFError) {
            for part in layout.parts {
                if let id = ids[part] { handles.append(try MapHandle(id: id)) }
            }
            state = try mapID(of: .state).map { id throws(BPFError) in try MapHandle(id: id) }
        } catch {
            throw XDPError(error, during: "The set \(name) of \(self.name) cannot be opened")
        }
        let page = try state.map { map throws(XDPError) in try FilterStatePage(map) }
        return try SetStore(
            name: name, layout: layout, maps: handles, page: page,
            places: layout.parts.map { record.statePlaces[.init(set: name, part: $0)] })
    }
}

extension SetStore {
    /// How many elements there are that have not ended; a table's numbers each by itself.
    public func count() throws(XDPError) -> Int {
        let now = MonotonicTime.now()
        var count = 0
        do throws(BPFError) {
            for part in parts {
                try part.forEach { _, entry, _ in
                    if SetLayout.Entry(rawValue: entry).isAlive(at: now) { count += 1 }
                }
            }
        } catch {
            throw XDPError(error, during: "The set \(name) cannot be counted")
        }
        return count
    }

    /// All elements, as a declaration lists them: those that end with what is left of their lives.
    public func declarableElements() throws(XDPError) -> [SetElement] {
        var elements: [SetElement] = []
        try list().forEach { elements.append(SetElement($0.components, timeout: $0.remaining)) }
        return elements
    }
}

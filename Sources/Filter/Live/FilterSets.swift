// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// The sets of a filter that is to come: kept from the filter that runs, or made and filled.
///
/// A set stays as it is if its declaration and the content of its file are as before. Otherwise it gets new
/// maps, with what was added by hand; what is added to the old ones until the swap follows after it.
struct FilterSets {
    /// SHA-256 of what each set was made from.
    private(set) var digests: [String: [UInt8]] = [:]
    /// The room of each set's maps.
    private(set) var capacities: [String: UInt32] = [:]
    private(set) var changes: [FilterReport.SetChange] = []
    private(set) var warnings: [Finding] = []
    private var sets: [Entry] = []

    private struct Entry {
        let declaration: SetDeclaration
        let store: SetStore
        /// What it takes the place of, where that has other maps.
        let former: SetStore?
        /// Whether it is the same set with more room, and not one that was declared anew.
        var isGrown = false
        /// The parts that the program looks into.
        var used: Set<SetLayout.Part> = []

        /// Whether its maps are those that run.
        var isKept: Bool { former == nil && store.page != nil }

        func inUse(
            _ page: FilterStatePage?, _ places: [CompilerInput.SetPartKey: Int]
        ) throws(XDPError) -> SetStore {
            try store.used(
                page: page, places: store.layout.parts.map { places[.init(set: declaration.name, part: $0)] })
        }
    }

    /// - Parameters:
    ///   - rereads: whether files of sets whose declaration stays are read, to see whether they changed.
    ///   - rooms: the sets that are full, and for how many elements their maps shall have room.
    init(
        _ rules: RuleSet, former: LiveFilter?, rereads: Bool, rooms: [String: Int] = [:]
    ) throws(XDPError) {
        for declaration in rules.sets {
            if !rereads, former?.rules.set(declaration.name) == declaration, let former {
                try keep(declaration, of: former, room: rooms[declaration.name])
                continue
            }
            let contents = try SetSource(declaration, directory: "").read()
            let old =
                try former?.rules.set(declaration.name) == nil
                ? nil : former?.store(ofSet: declaration.name)
            warnings += contents.warnings
            digests[declaration.name] = contents.digest
            if let former, former.record.sets[declaration.name] == contents.digest, old != nil {
                try keep(declaration, of: former)
                continue
            }
            let store = try SetStore.make(declaration, contents: contents, replacing: old)
            capacities[declaration.name] = store.capacity
            let isAlike = old?.layout == contents.layout
            changes.append(
                FilterReport.SetChange(
                    name: declaration.name,
                    outcome: old == nil ? .added : isAlike ? .updated : .replaced,
                    elements: try store.count()))
            sets.append(Entry(declaration: declaration, store: store, former: old))
        }
        let names = Set(rules.sets.map(\.name))
        for set in former?.rules.sets ?? [] where !names.contains(set.name) {
            changes.append(FilterReport.SetChange(name: set.name, outcome: .removed, elements: nil))
        }
    }

    private mutating func keep(
        _ declaration: SetDeclaration, of former: LiveFilter, room: Int? = nil
    ) throws(XDPError) {
        let old = try former.store(ofSet: declaration.name)
        let store = try room.map { room throws(XDPError) in try old.grown(toHold: room) } ?? old
        digests[declaration.name] = former.record.sets[declaration.name]
        capacities[declaration.name] = store.capacity
        changes.append(
            FilterReport.SetChange(name: declaration.name, outcome: .kept, elements: try store.count()))
        sets.append(
            Entry(
                declaration: declaration, store: store, former: room == nil ? nil : old, isGrown: room != nil)
        )
    }

    /// The names of those that have the maps that run.
    var kept: Set<String> { Set(sets.filter(\.isKept).map(\.declaration.name)) }

    /// The map of a part that the program looks into.
    mutating func map(_ name: String, _ part: SetLayout.Part) throws(XDPError) -> MapHandle {
        guard let place = sets.firstIndex(where: { $0.declaration.name == name }),
            let handle = sets[place].store.map(of: part)
        else {
            throw XDPError(
                .failed, "The rules cannot be put on an interface",
                because: "the compiled filter wants a part of set \(name) that it has not")
        }
        sets[place].used.insert(part)
        return handle
    }

    /// What the program does not look into, because no rule names the set.
    var unused: [(name: String, part: SetLayout.Part, map: MapHandle)] {
        sets.flatMap { set in
            set.store.layout.parts.filter { !set.used.contains($0) }.compactMap { part in
                set.store.map(of: part).map { (set.declaration.name, part, $0) }
            }
        }
    }

    /// The elements of all sets, by their names.
    func elements() throws(XDPError) -> [String: [SetElement]] {
        var found: [String: [SetElement]] = [:]
        for set in sets { found[set.declaration.name] = try set.store.declarableElements() }
        return found
    }

    /// Says in the state which parts have elements, before the program comes that asks. Sets that stay have their
    /// flags already.
    ///
    /// - Parameter isNew: whether the state is new, and so says of none that it has elements.
    func setFlags(
        in page: FilterStatePage, _ places: [CompilerInput.SetPartKey: Int], isNew: Bool
    ) throws(XDPError) {
        for set in sets where isNew || !set.isKept { try set.inUse(page, places).publishFlags() }
    }

    /// Brings what came to the old maps until the swap to the new ones.
    ///
    /// - Returns: what could not be done; the filter runs all the same.
    func finish(
        in page: FilterStatePage?, _ places: [CompilerInput.SetPartKey: Int]
    ) -> [String] {
        var notes: [String] = []
        for set in sets {
            guard let former = set.former else { continue }
            do throws(XDPError) {
                let store = try set.inUse(page, places)
                try store.copyRest(from: former, includesDeclared: set.isGrown)
                try store.publishFlags()
            } catch {
                notes.append("set \(set.declaration.name): \(error.why)")
            }
        }
        return notes
    }
}

extension SetStore {
    func map(of part: SetLayout.Part) -> MapHandle? {
        layout.parts.firstIndex(of: part).map { maps[$0] }
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Glibc
import XDP

/// Makes a member of the chain out of rules: gives places, compiles, makes the maps, writes the record.
///
/// Nothing that runs is touched: what is new is in maps of its own, or in places that no running filter uses.
struct FilterBuilder {
    /// A filter that is ready to be put into a chain; its maps live as long as this.
    struct Built {
        var member: Member
        var record: FilterRecord
        var maps: [MapHandle]
        /// To be finished once the filter runs.
        var sets: FilterSets

        /// What can be done only once the filter runs; returns what went wrong.
        func finish() -> [String] {
            let state = record.maps.firstIndex(of: .state).map { maps[$0] }
            let page = state.flatMap { try? FilterStatePage($0) }
            return sets.finish(in: page, record.statePlaces)
        }
    }

    let source: FilterSource
    /// The filter that is replaced; its counters, sets and limits go over.
    let former: LiveFilter?
    /// What the rule set is compiled with.
    var compile: (CompilerInput) throws(XDPError) -> CompiledFilter

    func build(named name: String) throws(XDPError) -> Built {
        // What is recorded has to be read back as what runs.
        let text = source.rules.text
        let rules = try RuleSet(recorded: text, "The filter \(name) cannot be made")
        var record = FilterRecord(text: text, path: source.path)
        record.time = UInt64(max(time(nil), 0))
        record.ruleCount = UInt32(clamping: rules.numbered.count)
        var ledger = CounterLedger(rules, former: former.map { [$0.record] } ?? [])
        var sets = try FilterSets(
            rules, former: former, rereads: source.rereadsSets, rooms: source.rooms)
        record.sets = sets.digests
        record.statePlaces = Self.statePlaces(
            rules, former: former?.record.statePlaces ?? [:], kept: sets.kept)

        var input = CompilerInput(rules)
        input.counters = ledger.places
        input.statePlaces = record.statePlaces
        input.capacities = sets.capacities
        input.abilities = .probed()
        input.handlesFrags = source.handlesFrags ?? true
        let interfaces = try FilterInterfaces(rules)
        input.interfaces = interfaces.matched
        let compiled = try compile(input)
        record.code = Self.digest(of: compiled, interfaces)

        var maps = FilterMaps(former: former)
        var unit = compiled.unit
        for (place, role) in compiled.roles.enumerated() where unit.maps.indices.contains(place) {
            // Whoever maps it into memory says how.
            if role == .state { unit.maps[place].definition = FilterState.definition() }
            let definition = unit.maps[place].definition
            switch role {
            case .set(let name, let part):
                // Its parts have room of their own.
                let handle = try sets.map(name, part)
                unit.maps[place] = UnitMap(name: unit.maps[place].name, definition: handle.definition)
                maps.add(handle)
            case .devices(let names):
                try maps.addDevices(try interfaces.indexes(of: names), definition)
            // Written last.
            case .record: maps.reserve()
            default: try maps.add(role, definition)
            }
            record.maps.append(FilterRecord.MapKind(role))
        }
        if let place = record.maps.firstIndex(of: .state), let state = maps.handle(place) {
            let page = try FilterStatePage(state)
            try sets.setFlags(
                in: page, record.statePlaces, isNew: former?.mapID(of: .state) != state.id)
        }
        for (name, part, handle) in sets.unused {
            unit.maps.append(UnitMap(name: handle.definition.name, definition: handle.definition))
            record.maps.append(.set(name, part))
            maps.add(handle)
        }
        let place = record.maps.firstIndex(of: .record) ?? record.maps.count
        if place == record.maps.count {
            record.maps.append(.record)
            maps.reserve()
            unit.maps.append(
                UnitMap(
                    name: FilterRecord.mapName,
                    definition: MapDefinition(
                        name: FilterRecord.mapName, type: .array, keySize: 4, valueSize: 8, maximumEntries: 1)
                ))
        }
        do throws(BPFError) {
            try ledger.settle(kept: maps.keptPages)
            record.counters = ledger.entries
            let handle = try record.save()
            unit.maps[place] = UnitMap(name: FilterRecord.mapName, definition: handle.definition)
            maps.fill(place, handle)
        } catch {
            throw XDPError(error, during: "The filter \(name) cannot be made")
        }
        var member = Member(
            name: name, origin: source.path, digest: SHA256.digest(of: Array(record.text.utf8)), unit: unit,
            mapIDs: maps.handles.map(\.id))
        member.buildTime = FilterGate.now
        return Built(member: member, record: record, maps: maps.handles, sets: sets)
    }

    /// Whether the filter that runs is what would be made.
    func isSame(_ built: Built) -> Bool {
        guard let record = former?.record, source.rooms.isEmpty else { return false }
        return record.text == built.record.text && record.path == built.record.path
            && record.code == built.record.code && record.sets == built.record.sets
    }

    /// What was there keeps its place, if it keeps its maps: a flag speaks of one map, and the filter that runs, or
    /// that comes back if nothing is confirmed, asks it too. A place that goes is free for the change after this one.
    private static func statePlaces(
        _ rules: RuleSet, former: [CompilerInput.SetPartKey: Int], kept: Set<String>
    ) -> [CompilerInput.SetPartKey: Int] {
        var places: [CompilerInput.SetPartKey: Int] = [:]
        let taken = Set(former.values)
        var next = 0
        for set in rules.sets {
            for part in SetLayout(set).parts {
                let key = CompilerInput.SetPartKey(set: set.name, part: part)
                if kept.contains(set.name), let old = former[key] {
                    places[key] = old
                    continue
                }
                while taken.contains(next) { next += 1 }
                // Beyond that it is assumed that there are elements.
                guard next < FilterState.places else { continue }
                places[key] = next
                next += 1
            }
        }
        return places
    }

    /// Equal for filters that do the same.
    private static func digest(of compiled: CompiledFilter, _ interfaces: FilterInterfaces) -> [UInt8] {
        var bytes = Instruction.encode(compiled.unit.instructions)
        for role in compiled.roles {
            switch role {
            case .constant(let content): bytes += content
            case .lookup(let entries): for entry in entries { bytes += entry.key + entry.value }
            case .devices(let names):
                for name in names {
                    withUnsafeBytes(of: interfaces.index(of: name) ?? 0) { bytes.append(contentsOf: $0) }
                }
            default: break
            }
        }
        return SHA256.digest(of: bytes)
    }
}

extension CompilerInput.KernelAbilities {
    /// Those of this kernel.
    static func probed() -> Self {
        var abilities = Self()
        abilities.hasFrags = KernelSurvey.support(for: .frags) == .supported
        abilities.hasCompareExchange = KernelSurvey.support(for: .atomics) == .supported
        return abilities
    }
}

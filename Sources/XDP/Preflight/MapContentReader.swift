// SPDX-License-Identifier: Apache-2.0
import BPF

/// Reads what the maps hold that packets are redirected or tail-called through.
struct MapContentReader {
    /// Maps of the chain that runs.
    let knownMaps: Set<UInt32>

    /// More entries are not looked at.
    private static let most = 1024

    /// The maps of a program.
    struct Maps {
        let maps: [UnitMap]
        let ids: [UInt32]
        /// The member that they may have been made for just now; nil if they were not.
        let owner: Member?

        /// - Parameter mayBeFresh: whether the member is new, so that a map nobody else names was made for it.
        init(_ code: MemberCode, of member: Member, mayBeFresh: Bool) {
            maps = code.maps
            ids = code.mapIDs
            owner = mayBeFresh && member.adopted == nil ? member : nil
        }

        /// Those of a program that is loaded already.
        init(_ code: ProgramCode) {
            maps = code.maps
            ids = code.mapIDs
            owner = nil
        }
    }

    func map(at place: Int, in maps: Maps) -> PreflightSubject.Map? {
        guard maps.maps.indices.contains(place), maps.ids.indices.contains(place) else { return nil }
        let map = maps.maps[place]
        let type = map.definition.type
        let content: PreflightSubject.Content
        if type == .socketMap {
            let isFresh =
                !knownMaps.contains(maps.ids[place])
                && maps.owner.map { owner in
                    owner.settings.reusedMaps[map.name] == nil
                        && !owner.pins.contains { $0.map == map.name }
                } ?? false
            content = isFresh ? .entries([]) : .unknown("the kernel does not show what such a map holds")
        } else if type.isDeviceMap || type == .processorMap || type == .programArray {
            content = read(maps.ids[place], map.definition)
        } else {
            return nil
        }
        return PreflightSubject.Map(name: map.name, type: type, content: content)
    }

    private func read(_ id: UInt32, _ definition: MapDefinition) -> PreflightSubject.Content {
        guard definition.keySize == 4 else { return .unknown("its keys are not numbers") }
        do throws(BPFError) {
            let map = try BPFMap(id: id)
            var entries: [PreflightSubject.Entry] = []
            var key: [UInt8]?
            for _ in 0..<Self.most {
                guard let next = try map.key(after: key, keySize: 4) else { return .entries(entries) }
                if let value = try map.lookup(next, valueSize: Int(definition.valueSize)) {
                    let entry = PreflightSubject.Entry(
                        key: Self.number(next), value: Self.number(value),
                        program: Self.number(value.dropFirst(4)))
                    // An empty place of a cpumap is a queue of no length.
                    if entry.value != 0 { entries.append(entry) }
                }
                key = next
            }
            return .unknown("it has more than \(Self.most) places")
        } catch {
            return .unknown(error.description)
        }
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> UInt32 {
        bytes.prefix(4).enumerated().reduce(0) { $0 | UInt32($1.element) << (8 * UInt32($1.offset)) }
    }
}

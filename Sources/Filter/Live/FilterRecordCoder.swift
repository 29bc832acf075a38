// SPDX-License-Identifier: Apache-2.0
import XDP

/// The fields of a filter's record in their order, written as those of a ``Manifest`` are.
enum FilterRecordCoder {
    /// Nothing comes near it: some four million places.
    private static let lastPage = 15

    static func write(_ record: FilterRecord, to writer: inout ManifestWriter) {
        writer.write(record.text)
        writer.write(record.path)
        writer.write(record.time)
        writer.write(record.ruleCount)
        writer.write(each: record.sets.sorted { $0.key < $1.key }) { writer, set in
            writer.write(set.key)
            writer.write(set.value)
        }
        writer.write(each: record.counters) { writer, entry in
            write(entry.identity, to: &writer)
            writer.write(UInt8(clamping: entry.place.page))
            writer.write(UInt32(clamping: entry.place.place))
            writer.write(entry.baseline.packets)
            writer.write(entry.baseline.bytes)
        }
        writer.write(each: record.statePlaces.sorted { $0.value < $1.value }) { writer, entry in
            write(entry.key.set, entry.key.part, to: &writer)
            writer.write(UInt16(clamping: entry.value))
        }
        writer.write(each: record.maps) { write($1, to: &$0) }
        writer.write(record.code)
    }

    static func read(from reader: inout ManifestReader) throws(ManifestReader.Damage) -> FilterRecord {
        var record = FilterRecord(text: try reader.text(), path: try reader.text())
        record.time = try reader.integer()
        record.ruleCount = try reader.integer()
        let sets = try reader.array { reader throws(ManifestReader.Damage) in
            (try reader.text(), Array(try reader.bytes()))
        }
        record.sets = Dictionary(sets) { $1 }
        record.counters = try reader.array { reader throws(ManifestReader.Damage) in
            let identity = try readIdentity(from: &reader)
            let page = Int(try reader.integer(UInt8.self))
            let place = Int(try reader.integer(UInt32.self))
            guard page <= lastPage, place < CounterPlace.places(onPage: page) else {
                throw ManifestReader.Damage()
            }
            return FilterRecord.CounterEntry(
                identity: identity, place: CounterPlace(page: page, place: place),
                baseline: Counter(packets: try reader.integer(), bytes: try reader.integer()))
        }
        let places = try reader.array { reader throws(ManifestReader.Damage) in
            let (set, part) = try readPart(from: &reader)
            let place = Int(try reader.integer(UInt16.self))
            guard place < FilterState.places else { throw ManifestReader.Damage() }
            return (CompilerInput.SetPartKey(set: set, part: part), place)
        }
        record.statePlaces = Dictionary(places) { $1 }
        record.maps = try reader.array { reader throws(ManifestReader.Damage) in
            try readKind(from: &reader)
        }
        record.code = Array(try reader.bytes())
        guard reader.isAtEnd else { throw ManifestReader.Damage() }
        return record
    }

    // MARK: Identities

    private static func write(_ identity: RuleIdentity, to writer: inout ManifestWriter) {
        switch identity {
        case .rule(let group, let text, let occurrence):
            writer.write(UInt8(0))
            writer.write(each: group.map { [$0] } ?? []) { $0.write($1) }
            writer.write(text)
            writer.write(UInt32(clamping: occurrence))
        case .counter(let name):
            writer.write(UInt8(1))
            writer.write(name)
        case .policy(let verdict):
            writer.write(UInt8(2))
            writer.write(UInt8(verdict.rawValue))
        }
    }

    private static func readIdentity(
        from reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> RuleIdentity {
        switch try reader.integer(UInt8.self) {
        case 0:
            let group = try reader.optional { reader throws(ManifestReader.Damage) in try reader.text() }
            return .rule(
                group: group, text: try reader.text(), occurrence: Int(try reader.integer(UInt32.self)))
        case 1: return .counter(try reader.text())
        case 2:
            guard let verdict = Verdict(rawValue: UInt32(try reader.integer(UInt8.self))) else {
                throw ManifestReader.Damage()
            }
            return .policy(verdict)
        default: throw ManifestReader.Damage()
        }
    }

    // MARK: Maps

    private static func write(_ set: String, _ part: SetLayout.Part, to writer: inout ManifestWriter) {
        writer.write(set)
        writer.write(UInt8(SetLayout.Part.allCases.firstIndex(of: part) ?? 0))
    }

    private static func readPart(
        from reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> (String, SetLayout.Part) {
        let set = try reader.text()
        let part = Int(try reader.integer(UInt8.self))
        guard SetLayout.Part.allCases.indices.contains(part) else { throw ManifestReader.Damage() }
        return (set, SetLayout.Part.allCases[part])
    }

    private static func write(_ kind: FilterRecord.MapKind, to writer: inout ManifestWriter) {
        switch kind {
        case .constant: writer.write(UInt8(0))
        case .lookup: writer.write(UInt8(1))
        case .set(let name, let part):
            writer.write(UInt8(2))
            write(name, part, to: &writer)
        case .counters(let page):
            writer.write(UInt8(3))
            writer.write(UInt8(clamping: page))
        case .state: writer.write(UInt8(4))
        case .log: writer.write(UInt8(5))
        case .buckets: writer.write(UInt8(6))
        case .devices(let names):
            writer.write(UInt8(7))
            writer.write(each: names) { $0.write($1) }
        case .record: writer.write(UInt8(8))
        }
    }

    private static func readKind(
        from reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> FilterRecord.MapKind {
        switch try reader.integer(UInt8.self) {
        case 0: return .constant
        case 1: return .lookup
        case 2:
            let (set, part) = try readPart(from: &reader)
            return .set(set, part)
        case 3:
            let page = Int(try reader.integer(UInt8.self))
            guard page <= lastPage else { throw ManifestReader.Damage() }
            return .counters(page: page)
        case 4: return .state
        case 5: return .log
        case 6: return .buckets
        case 7:
            return .devices(
                try reader.array { reader throws(ManifestReader.Damage) in try reader.text() })
        case 8: return .record
        default: throw ManifestReader.Damage()
        }
    }
}

// SPDX-License-Identifier: Apache-2.0

/// Taps and what the chain is there for, since version 2.
extension ManifestCoder {
    static func write(_ tap: Tap, to writer: inout ManifestWriter) {
        writer.write(tap.name)
        writer.write(tap.purpose)
        writer.write(tap.process)
        writer.write(each: tap.mapIDs) { $0.write($1) }
        writer.write(UInt32(clamping: tap.guardMap))
        let selection = tap.selection
        for flag in [selection.start, selection.end, selection.allEntries, selection.allExits] {
            writer.write(flag)
        }
        writer.write(each: selection.entries) { $0.write($1) }
        writer.write(each: selection.exits) { $0.write($1) }
        writer.write(each: tap.points) { writer, point in
            writer.write(point.kind.rawValue)
            writer.write(point.member)
        }
        write(tap.unit, to: &writer)
    }

    static func readTap(from reader: inout ManifestReader) throws(ManifestReader.Damage) -> Tap {
        let name = try reader.text()
        let purpose = try reader.text()
        let process: UInt32 = try reader.integer()
        let mapIDs = try reader.array { reader throws(ManifestReader.Damage) in
            try reader.integer(UInt32.self)
        }
        let guardMap = Int(try reader.integer(UInt32.self))
        var selection = TapSelection()
        selection.start = try reader.bool()
        selection.end = try reader.bool()
        selection.allEntries = try reader.bool()
        selection.allExits = try reader.bool()
        selection.entries = try reader.array { reader throws(ManifestReader.Damage) in try reader.text() }
        selection.exits = try reader.array { reader throws(ManifestReader.Damage) in try reader.text() }
        let points = try reader.array { reader throws(ManifestReader.Damage) in
            guard let kind = TapPoint.Kind(rawValue: try reader.integer()) else {
                throw ManifestReader.Damage()
            }
            return TapPoint(kind, member: try reader.text())
        }
        let unit = try readUnit(from: &reader)
        guard mapIDs.count == unit.maps.count, mapIDs.indices.contains(guardMap), unit.types == nil,
            points.count <= Tap.maximumPoints, Set(points).count == points.count
        else { throw ManifestReader.Damage() }
        var tap = Tap(
            name: name, purpose: purpose, process: process, unit: unit, mapIDs: mapIDs, guardMap: guardMap,
            selection: selection)
        tap.points = points
        return tap
    }

    /// A list of none, or of one text: empty for a chain that was made, else the name of the adopted member.
    static func write(_ loan: ChainLoan?, to writer: inout ManifestWriter) {
        let names: [String] =
            switch loan {
            case nil: []
            case .made: [""]
            case .adopted(let name): [name]
            }
        writer.write(each: names) { $0.write($1) }
    }

    static func readLoan(from reader: inout ManifestReader) throws(ManifestReader.Damage) -> ChainLoan? {
        let name = try reader.optional { reader throws(ManifestReader.Damage) in try reader.text() }
        return name.map { $0.isEmpty ? .made : .adopted($0) }
    }
}

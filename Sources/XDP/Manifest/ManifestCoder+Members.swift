// SPDX-License-Identifier: Apache-2.0
import BPF

extension ManifestCoder {
    private static let modes: [Composition.Mode] = [.inline, .call, .isolated, .adopted, .unreachable]

    static func write(_ member: Member, to writer: inout ManifestWriter) {
        writer.write(member.name)
        writer.write(member.origin)
        writer.write(member.digest)
        writer.write(member.buildTime)
        writer.write(member.priority)
        writer.write(each: member.edges.sorted { $0.key < $1.key }) { writer, edge in
            writer.write(UInt8(edge.key.rawValue))
            writer.write(edge.value.description)
        }
        writer.write(each: member.mapIDs) { $0.write($1) }
        writer.write(each: member.pins) { writer, pin in
            writer.write(pin.map)
            writer.write(pin.path)
        }
        writer.write(UInt32(bitPattern: Int32(clamping: member.counterSlot)))
        writer.write(each: member.counterBaseline.values) { writer, counter in
            writer.write(counter.packets)
            writer.write(counter.bytes)
        }
        writer.write(UInt8(modes.firstIndex(of: member.composition.mode) ?? 0))
        writer.write(member.composition.reason)
        writer.write(UInt32(clamping: member.composition.segment))
        write(member.settings, to: &writer)
        writer.write(each: member.separate.map { [$0] } ?? []) { writer, separate in
            writer.write(separate.programID)
            writer.write(separate.arrayID)
            writer.write(separate.supportsFrags)
            writer.write(separate.reason)
        }
        writer.write(each: member.adopted.map { [$0] } ?? []) { writer, adopted in
            writer.write(adopted.tag)
            writer.write(adopted.loadTime)
            writer.write(adopted.userID)
            writer.write(adopted.linkID ?? 0)
            writer.write(adopted.attachType.rawValue)
        }
        // Types live only as long as a program or a map refers to them; those of a member that is part of
        // the linked program need not.
        var unit = member.unit
        if member.separate == nil { unit.types = nil }
        write(unit, to: &writer)
    }

    static func readMember(
        from reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> Member {
        let name = try reader.text()
        let origin = try reader.text()
        let digest = Array(try reader.bytes())
        let buildTime: UInt64 = try reader.integer()
        let priority: UInt32 = try reader.integer()
        let edges = try reader.array { reader throws(ManifestReader.Damage) in
            guard let verdict = Verdict(rawValue: UInt32(try reader.integer(UInt8.self))) else {
                throw ManifestReader.Damage()
            }
            return (verdict, Edge(parsing: try reader.text()))
        }
        let mapIDs = try reader.array { reader throws(ManifestReader.Damage) in
            try reader.integer(UInt32.self)
        }
        let pins = try reader.array { reader throws(ManifestReader.Damage) in
            MapPin(map: try reader.text(), path: try reader.text())
        }
        let slot = Int(Int32(bitPattern: try reader.integer(UInt32.self)))
        let baseline = try reader.array { reader throws(ManifestReader.Damage) in
            Counter(packets: try reader.integer(), bytes: try reader.integer())
        }
        let mode = try choice(modes, &reader)
        let reason = try reader.text()
        let segment: UInt32 = try reader.integer()
        let settings = try readSettings(from: &reader)
        let separate = try reader.optional { reader throws(ManifestReader.Damage) in
            SeparateProgram(
                programID: try reader.integer(), arrayID: try reader.integer(),
                supportsFrags: try reader.bool(), reason: try reader.text())
        }
        let adopted = try readAdopted(from: &reader)
        let unit = try readUnit(from: &reader)
        guard Member.isValid(name: name), mapIDs.count == unit.maps.count,
            baseline.count == MemberCounters.count, slot >= -1, slot < 1 << 16,
            adopted == nil || separate != nil, unit.types == nil || separate != nil
        else { throw ManifestReader.Damage() }
        var member = Member(name: name, origin: origin, digest: digest, unit: unit, mapIDs: mapIDs)
        member.buildTime = buildTime
        member.priority = priority
        member.edges = Dictionary(edges) { $1 }
        member.pins = pins
        member.counterSlot = slot
        member.counterBaseline.values = baseline
        member.composition = Composition(mode: mode, reason: reason, segment: Int(segment))
        member.settings = settings
        member.separate = separate
        member.adopted = adopted
        return member
    }

    private static func readAdopted(
        from reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> AdoptedProgram? {
        try reader.optional { reader throws(ManifestReader.Damage) in
            let tag = try reader.text()
            let loadTime: UInt64 = try reader.integer()
            let userID: UInt32 = try reader.integer()
            let linkID: UInt32 = try reader.integer()
            guard let attachType = AttachType(rawValue: try reader.integer()) else {
                throw ManifestReader.Damage()
            }
            return AdoptedProgram(
                tag: tag, loadTime: loadTime, userID: userID, linkID: linkID == 0 ? nil : linkID,
                attachType: attachType)
        }
    }

    // MARK: Settings

    private static func write(_ settings: MemberSettings, to writer: inout ManifestWriter) {
        writer.write(settings.program ?? "")
        writer.write(each: settings.variables.sorted { $0.key < $1.key }) { writer, entry in
            writer.write(entry.key)
            writer.write(entry.value)
        }
        writer.write(each: settings.maximumEntries.sorted { $0.key < $1.key }) { writer, entry in
            writer.write(entry.key)
            writer.write(entry.value)
        }
        writer.write(each: settings.reusedMaps.sorted { $0.key < $1.key }) { writer, entry in
            writer.write(entry.key)
            writer.write(entry.value.description)
        }
        writer.write(settings.pinDirectory ?? "")
        writer.write(settings.isIsolated)
    }

    private static func readSettings(
        from reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> MemberSettings {
        var settings = MemberSettings()
        let program = try reader.text()
        settings.program = program.isEmpty ? nil : program
        let variables = try reader.array { reader throws(ManifestReader.Damage) in
            (try reader.text(), try reader.text())
        }
        settings.variables = Dictionary(variables) { $1 }
        let entries = try reader.array { reader throws(ManifestReader.Damage) in
            (try reader.text(), try reader.integer(UInt32.self))
        }
        settings.maximumEntries = Dictionary(entries) { $1 }
        let reused = try reader.array { reader throws(ManifestReader.Damage) in
            let name = try reader.text()
            guard let map = LoadRequest.ExistingMap(parsing: try reader.text()) else {
                throw ManifestReader.Damage()
            }
            return (name, map)
        }
        settings.reusedMaps = Dictionary(reused) { $1 }
        let directory = try reader.text()
        settings.pinDirectory = directory.isEmpty ? nil : directory
        settings.isIsolated = try reader.bool()
        return settings
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// The fields of a manifest in their order. Lists are a 32-bit count and the elements, texts a 32-bit count
/// and UTF-8; a unit's source texts are kept once and referred to by place.
enum ManifestCoder {
    static func write(_ manifest: Manifest, to writer: inout ManifestWriter) {
        writer.write(manifest.isClosed)
        writer.write(manifest.generation)
        writer.write(UInt8(AttachMode.allCases.firstIndex(of: manifest.mode) ?? 0))
        writer.write(manifest.fellBack)
        writer.write(manifest.supportsFrags)
        writer.write(UInt8(CounterMode.allCases.firstIndex(of: manifest.chain.counters) ?? 0))
        writer.write(manifest.verifiedInstructions)
        writer.write(manifest.frame)
        writer.write(each: manifest.counterPages) { $0.write($1) }
        writer.write(manifest.segmentArray)
        writer.write(manifest.attachType.rawValue)
        writer.write(UInt8(manifest.chain.fallback.rawValue))
        writer.write(each: manifest.chain.members) { write($1, to: &$0) }
        writer.write(each: manifest.chain.taps) { write($1, to: &$0) }
        write(manifest.chain.loan, to: &writer)
    }

    static func read(
        from reader: inout ManifestReader, version: UInt32
    ) throws(ManifestReader.Damage) -> Manifest {
        let isClosed = try reader.bool()
        let generation: UInt64 = try reader.integer()
        let mode = try choice(AttachMode.allCases, &reader)
        let fellBack = try reader.bool()
        let supportsFrags = try reader.bool()
        let counters = try choice(CounterMode.allCases, &reader)
        let verified: UInt32 = try reader.integer()
        let frame: UInt32 = try reader.integer()
        let pages = try reader.array { reader throws(ManifestReader.Damage) in
            try reader.integer(UInt32.self)
        }
        let segmentArray: UInt32 = try reader.integer()
        guard let attachType = AttachType(rawValue: try reader.integer()),
            let fallback = Verdict(rawValue: UInt32(try reader.integer(UInt8.self)))
        else { throw ManifestReader.Damage() }
        let members = try reader.array { reader throws(ManifestReader.Damage) in
            try readMember(from: &reader)
        }
        var chain = Chain(members: members, counters: counters, fallback: fallback)
        if version >= 2 {
            chain.taps = try reader.array { reader throws(ManifestReader.Damage) in
                try readTap(from: &reader)
            }
            chain.loan = try readLoan(from: &reader)
        }
        guard reader.isAtEnd, Set(members.map(\.name)).count == members.count,
            Set(chain.taps.map(\.name)).count == chain.taps.count
        else { throw ManifestReader.Damage() }
        var manifest = Manifest(chain: chain, mode: mode)
        manifest.isClosed = isClosed
        manifest.generation = generation
        manifest.fellBack = fellBack
        manifest.supportsFrags = supportsFrags
        manifest.verifiedInstructions = verified
        manifest.frame = frame
        manifest.counterPages = pages
        manifest.segmentArray = segmentArray
        manifest.attachType = attachType
        return manifest
    }

    static func choice<Value>(
        _ values: [Value], _ reader: inout ManifestReader
    ) throws(ManifestReader.Damage) -> Value {
        let place = Int(try reader.integer(UInt8.self))
        guard values.indices.contains(place) else { throw ManifestReader.Damage() }
        return values[place]
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Foundation
import TestSupport
import Testing

@testable import XDP

@Suite("The manifest")
struct ManifestTests {
    /// A manifest in which every field differs from its default.
    static let sample: Manifest = {
        var manifest = firstVersion
        var tap = Tap.scripted(
            0, guardID: 61,
            selection: TapSelection(
                start: true, end: true, allEntries: true, allExits: true, entries: ["ids"],
                exits: ["own", "gone"]))
        tap.purpose = "tcp port 443"
        tap.process = 4711
        tap.unit.maps.append(tap.unit.maps[0])
        tap.mapIDs = [62, 61]
        tap.guardMap = 1
        tap.points = [TapPoint(.start), TapPoint(.exit, member: "gone"), TapPoint(.end, member: "ids")]
        manifest.chain.taps = [tap, .scripted(1, guardID: 63, selection: TapSelection())]
        manifest.chain.loan = .adopted("theirs")
        return manifest
    }()

    /// The same without what version 1 does not have.
    static let firstVersion: Manifest = {
        var first = Member.of(
            "ids", Instruction.loadMap(.r1, index: 1) + [.call(kernelFunction: 9, module: 1), .exit],
            edges: [.drop: .member("mirror"), .tx: .next, .pass: .end], maps: [41, 42], slot: 3)
        first.priority = 10
        first.pins = [MapPin(map: "map0", path: "/sys/fs/bpf/flows")]
        first.counterBaseline.values[1] = Counter(packets: 5, bytes: 1 << 40)
        first.unit.section = "xdp.frags"
        first.unit.supportsFrags = true
        first.unit.mayThrow = true
        first.unit.modules = [.init(btfID: 77, name: "nf_conntrack")]
        first.unit.maps[1].layout = Array(0..<16)
        first.unit.maps[1].isInternal = true
        first.unit.functions.append(.init(instruction: 2, name: "helper"))
        first.unit.lines.append(
            .init(instruction: 2, file: "ids.c", text: "first line of ids", position: 7 << 10 | 3))
        var second = Member.of("mirror", [.move(.r0, 2), .exit], license: "Dual MIT/GPL")
        second.composition = Composition(mode: .call, reason: "it does tail calls")
        second.composition.segment = 1
        var third = Member.of("own", [.move(.r0, 1), .exit])
        third.settings.program = "own_main"
        third.settings.variables = ["limit": "7", "name": "a b"]
        third.settings.maximumEntries = ["flows": 1024]
        third.settings.reusedMaps = ["a": .id(12), "b": .pinned("/sys/fs/bpf/b")]
        third.settings.pinDirectory = "/sys/fs/bpf/own"
        third.settings.isIsolated = true
        third.separate = SeparateProgram(
            programID: 51, arrayID: 52, supportsFrags: true, reason: "it was asked for")
        third.unit.types = OwnTypes(
            btfID: 78, functionRecords: Array(0..<8), lineRecords: Array(0..<16))
        third.composition = Composition(mode: .isolated, reason: "it was asked for", segment: 1)
        var fourth = Member.of("theirs", [])
        fourth.separate = SeparateProgram(
            programID: 53, arrayID: 54, supportsFrags: false, reason: "somebody else loaded it")
        fourth.adopted = AdoptedProgram(
            tag: "0123456789abcdef", loadTime: 1 << 40, userID: 1000, linkID: 55, attachType: .unspecified)
        fourth.composition = Composition(mode: .adopted, reason: "somebody else loaded it", segment: 1)
        var manifest = Manifest(
            chain: Chain(members: [first, second, third, fourth], counters: .packets, fallback: .pass),
            mode: .generic)
        manifest.segmentArray = 902
        manifest.attachType = .unspecified
        manifest.isClosed = true
        manifest.generation = 0x1234_5678_9abc
        manifest.fellBack = true
        manifest.supportsFrags = true
        manifest.counterPages = [900, 901]
        manifest.verifiedInstructions = 4711
        manifest.frame = 72
        return manifest
    }()

    /// Changes the body and makes the checksum fit again, so that what is behind it is tried.
    static func sealed(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= RecordHeader.size else { return bytes }
        var bytes = bytes
        func put(_ value: UInt64, _ size: Int, at place: Int) {
            for byte in 0..<size { bytes[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
        }
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes[RecordHeader.size...] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        put(UInt64(bytes.count - RecordHeader.size), 4, at: 12)
        put(hash, 8, at: 16)
        return bytes
    }

    @Test("what is written is read, in every field")
    func roundTrip() throws {
        let read = try Manifest(decoding: Self.sample.encoded())

        #expect(read == Self.sample)
        #expect(try Manifest(decoding: Self.sample.encoded() + [0, 0, 0, 0, 0]) == Self.sample)
    }

    @Test("an empty, closed chain is a manifest too", arguments: AttachMode.allCases)
    func empty(mode: AttachMode) throws {
        for counters in CounterMode.allCases {
            let manifest = Manifest(chain: Chain(counters: counters), mode: mode)
            #expect(try Manifest(decoding: manifest.encoded()) == manifest)
        }
    }

    private static func golden(_ version: Int) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Golden/manifest-\(version).hex")
    }

    private static func bytes(_ file: URL) throws -> [UInt8] {
        let digits = Array(try String(contentsOf: file, encoding: .utf8).utf8.filter { $0 != 0x0a })
        return try stride(from: 0, to: digits.count, by: 2).map { place in
            try #require(UInt8(String(decoding: digits[place..<(place + 2)], as: UTF8.self), radix: 16))
        }
    }

    /// `XDP_WRITE_GOLDEN=1 swift test --filter ManifestTests` writes the file anew, for a new version.
    @Test("version 2 is what it was: the committed bytes, and what is read from them")
    func golden() throws {
        let file = Self.golden(2)
        let encoded = Self.sample.encoded()
        if ProcessInfo.processInfo.environment["XDP_WRITE_GOLDEN"] != nil {
            let digits = SHA256.hexadecimal(encoded)
            let lines = stride(from: 0, to: digits.count, by: 64).map { start in
                String(digits.dropFirst(start).prefix(64))
            }
            try (lines.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
        }
        let bytes = try Self.bytes(file)

        #expect(encoded == bytes)
        #expect(try Manifest(decoding: bytes) == Self.sample)
    }

    @Test("version 1, which has no taps, is still read")
    func firstVersion() throws {
        #expect(try Manifest(decoding: Self.bytes(Self.golden(1))) == Self.firstVersion)
    }

    @Test("a chain that was made for a capture says so")
    func loan() throws {
        var manifest = Self.sample
        manifest.chain.loan = .made
        #expect(try Manifest(decoding: manifest.encoded()) == manifest)
    }

    @Test("a newer version is told from damage", arguments: [3, 4, UInt32.max])
    func newer(version: UInt32) {
        var bytes = Self.sample.encoded()
        withUnsafeBytes(of: version.littleEndian) { bytes.replaceSubrange(8..<12, with: $0) }
        // What a newer version does behind the header is its own business.
        bytes.removeLast(8)

        #expect(throws: Manifest.Unreadable.newer(version)) { try Manifest(decoding: bytes) }
    }

    @Test(
        "something else is foreign",
        arguments: [
            [], [0], Array("swiftXD".utf8), Array("swiftXDP".utf8), [UInt8](repeating: 0, count: 4096),
            Array("swiftXDq".utf8) + [UInt8](repeating: 1, count: 100),
        ])
    func foreign(bytes: [UInt8]) {
        #expect(throws: Manifest.Unreadable.foreign) { try Manifest(decoding: bytes) }
    }

    @Test("cut short at any length it is refused")
    func truncated() {
        let bytes = Self.sample.encoded()

        for length in 0..<bytes.count {
            let expected: Manifest.Unreadable = length < RecordHeader.size ? .foreign : .damaged
            #expect(throws: expected) { try Manifest(decoding: Array(bytes.prefix(length))) }
        }
    }

    @Test("cut short with a checksum that fits, it is refused as well")
    func truncatedAndSealed() {
        let bytes = Self.sample.encoded()

        for length in RecordHeader.size..<bytes.count {
            let cut = Self.sealed(Array(bytes.prefix(length)))
            #expect(throws: Manifest.Unreadable.damaged) { try Manifest(decoding: cut) }
        }
        #expect(Self.sealed(bytes) == bytes)
    }

    @Test("every flipped bit of the body is found")
    func flipped() {
        let bytes = Self.sample.encoded()

        for place in RecordHeader.size..<bytes.count {
            var copy = bytes
            copy[place] ^= 1 << UInt8(place % 8)
            #expect(throws: Manifest.Unreadable.damaged) { try Manifest(decoding: copy) }
        }
    }

    @Test("two members of one name are damage, and so are impossible slots")
    func impossible() {
        var twice = Self.sample
        twice.chain = Chain(members: [Self.sample.chain.members[1], Self.sample.chain.members[1]])
        var slot = Self.sample
        var member = Self.sample.chain.members[0]
        member.counterSlot = 1 << 16
        slot.chain = Chain(members: [member])
        member.counterSlot = 0
        member.mapIDs = [1]
        var maps = Self.sample
        maps.chain = Chain(members: [member])

        var taps = Self.sample
        taps.chain.taps += taps.chain.taps
        var unguarded = Self.sample
        unguarded.chain.taps[0].guardMap = 2
        var points = Self.sample
        points.chain.taps[0].points += points.chain.taps[0].points

        for manifest in [twice, slot, maps, taps, unguarded, points] {
            #expect(throws: Manifest.Unreadable.damaged) { try Manifest(decoding: manifest.encoded()) }
        }
    }

    // MARK: Fuzz

    @Test("30 000 mutated manifests neither crash nor hang nor fill the memory", arguments: UInt64(0)..<3)
    func mutated(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let original = Self.sample.encoded()
        var readable = 0
        for _ in 0..<10_000 {
            var bytes = original
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let start = Bool.random(using: &random) ? 0 : RecordHeader.size
                guard let place = (start..<max(bytes.count, start)).randomElement(using: &random) else {
                    break
                }
                switch Int.random(in: 0..<6, using: &random) {
                case 0: bytes[place] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2:
                    let large = [UInt8]([
                        0xff, 0xff, 0xff, [0x7f, 0xff, 0x00].randomElement(using: &random) ?? 0,
                    ])
                    for (offset, byte) in large.enumerated() where place + offset < bytes.count {
                        bytes[place + offset] = byte
                    }
                case 3: bytes.removeSubrange(place..<min(place + 9, bytes.count))
                case 4: bytes.insert(contentsOf: bytes[place..<min(place + 40, bytes.count)], at: place)
                default: bytes.removeLast(Int.random(in: 0...min(64, bytes.count), using: &random))
                }
            }
            if Int.random(in: 0..<8, using: &random) > 0 { bytes = Self.sealed(bytes) }
            guard let manifest = try? Manifest(decoding: bytes) else { continue }
            readable += 1
            // What was read is about as large as what it was read from (three bytes stand for one that is
            // no UTF-8), and can be linked.
            #expect(manifest.encoded().count <= 3 * bytes.count)
            _ = try? Linker(limits: .oldest).link(
                manifest.chain, counting: .init(mode: manifest.chain.counters, pageIDs: manifest.counterPages)
            )
        }
        #expect(readable > 100)
    }

    @Test(
        "a count of four thousand million allocates nothing",
        arguments: [0xffff_ffff, 0x7fff_ffff] as [UInt32])
    func counts(count: UInt32) {
        let original = Self.sample.encoded()
        let before = Self.peakMemory()

        for place in RecordHeader.size...(original.count - 4) {
            var bytes = original
            withUnsafeBytes(of: count.littleEndian) { bytes.replaceSubrange(place..<(place + 4), with: $0) }
            _ = try? Manifest(decoding: Self.sealed(bytes))
        }

        // Other tests run meanwhile; one such count believed would be 16 GiB at least.
        #expect(Self.peakMemory() - before < 2 << 20)
    }

    /// The largest resident size of the process so far, in KiB.
    private static func peakMemory() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return line.split(whereSeparator: { $0 == " " || $0 == "\t" }).compactMap { Int($0) }.first ?? 0
    }
}

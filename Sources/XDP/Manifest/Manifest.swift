// SPDX-License-Identifier: Apache-2.0
import BPF

/// What a linked chain knows of itself: kept in the kernel beside the program, and nowhere else.
///
/// It is a frozen array map, bound to the program. Its values are the slices of one run of bytes:
///
/// | Bytes | Content (little endian) |
/// |---|---|
/// | 24 | ``RecordHeader``, `swiftXDP` |
/// | … | flags, generation, mode, counters, members, taps: see ``ManifestCoder`` |
public struct Manifest: Sendable, Hashable {
    /// The format that this library writes. A reader takes its own and older ones. Version 2 brought taps.
    public static let version: UInt32 = 2

    /// A closed chain has no members and is about to leave the interface: nobody may join it.
    public var isClosed: Bool
    /// How many changes the chain went through.
    public var generation: UInt64
    /// The mode it was attached in.
    public var mode: AttachMode
    /// Whether the mode was chosen because native was not to be had.
    public var fellBack: Bool
    /// Whether the linked program handles packets of several buffers: all its members do.
    public var supportsFrags: Bool
    public var chain: Chain
    /// Kernel ids of the maps that count, 64 members each.
    public var counterPages: [UInt32]
    /// Kernel id of the array that holds the chain's further programs; 0 where one program holds all members.
    public var segmentArray: UInt32
    /// What the chain is loaded for; that of a program that it adopted, if there is one.
    public var attachType: AttachType
    /// Instructions that the verifier simulated for the chain; 0 where it did not say.
    public var verifiedInstructions: UInt32
    /// Bytes of stack of the chain's main function.
    public var frame: UInt32

    public init(chain: Chain, mode: AttachMode) {
        isClosed = false
        generation = 0
        self.mode = mode
        fellBack = false
        supportsFrags = false
        self.chain = chain
        counterPages = []
        segmentArray = 0
        attachType = .xdp
        verifiedInstructions = 0
        frame = 0
    }

    /// The kernel ids of all program arrays that the chain depends on.
    var programArrays: Set<UInt32> {
        Set(chain.members.flatMap(\.programArrayIDs)).union(segmentArray == 0 ? [] : [segmentArray])
    }

    private static let header = RecordHeader("swiftXDP", version: version)
    /// The name of the map; the content decides, this only saves reading others.
    static let mapName = "xdpctl_manifest"

    /// Why bytes are not a manifest that this version can use.
    public enum Unreadable: Error, Sendable, Hashable {
        /// Something else.
        case foreign
        /// Cut short or changed.
        case damaged
        /// Written by a newer version.
        case newer(UInt32)
    }

    /// The bytes that go into the map.
    public func encoded() -> [UInt8] {
        var body = ManifestWriter()
        ManifestCoder.write(self, to: &body)
        return Self.header.sealed(body)
    }

    /// Reads what ``encoded()`` wrote; bytes behind the stated length are ignored.
    public init(decoding bytes: [UInt8]) throws(Unreadable) {
        try self.init(
            body: bytes, in: Self.header.body(of: bytes), version: Self.header.version(of: bytes))
    }

    /// Reads what follows the header.
    package init(body bytes: [UInt8], in range: Range<Int>, version: UInt32 = version) throws(Unreadable) {
        var body = ManifestReader(bytes, in: range)
        do throws(ManifestReader.Damage) {
            self = try ManifestCoder.read(from: &body, version: version)
        } catch {
            throw .damaged
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// What a filter knows of itself: the rules that it was made from, and what belongs to them. It stands in the
/// kernel, in a frozen array map of the filter's member, and nowhere else.
///
/// | Bytes | Content (little endian) |
/// |---|---|
/// | 24 | `RecordHeader`, `xdpRules` |
/// | … | the fields: see ``FilterRecordCoder`` |
public struct FilterRecord: Sendable, Hashable {
    /// The format that this library writes. A reader takes its own and older ones.
    public static let version: UInt32 = 1
    /// The name of the map; the content decides, this only saves reading others.
    public static let mapName = "xdpctl_filter"

    /// Where something counts.
    public struct CounterEntry: Sendable, Hashable {
        public var identity: RuleIdentity
        public var place: CounterPlace
        /// What the place held when it was given; subtracted from what is read.
        public var baseline: Counter

        public init(identity: RuleIdentity, place: CounterPlace, baseline: Counter = Counter()) {
            self.identity = identity
            self.place = place
            self.baseline = baseline
        }
    }

    /// What a map is for; a ``FilterMapRole`` without what the map was made from.
    public enum MapKind: Sendable, Hashable {
        case constant, lookup
        case set(String, SetLayout.Part)
        case counters(page: Int)
        case state, log, buckets
        case devices([String])
        case record

        public init(_ role: FilterMapRole) {
            self =
                switch role {
                case .constant: .constant
                case .lookup: .lookup
                case .set(let name, let part): .set(name, part)
                case .counters(let page): .counters(page: page)
                case .state: .state
                case .log: .log
                case .buckets: .buckets
                case .devices(let names): .devices(names)
                case .record: .record
                }
        }
    }

    /// The rules, canonically written; files of sets by absolute path.
    public var text: String
    /// The absolute path of the rule file; empty where the rules came from nowhere that can be read again.
    public var path: String
    /// When these rules were put on the interface: seconds since 1970, UTC.
    public var time: UInt64
    /// The rules, those of groups too.
    public var ruleCount: UInt32
    /// By set: SHA-256 of its declaration with all elements of its file, as they were when they were read.
    public var sets: [String: [UInt8]]
    public var counters: [CounterEntry]
    /// The parts of sets by their places in the ``FilterState``.
    public var statePlaces: [CompilerInput.SetPartKey: Int]
    /// What each map of the member is for, in their order.
    public var maps: [MapKind]
    /// SHA-256 of what was compiled: of the same rules on another kernel, or with other interfaces, it differs.
    public var code: [UInt8]

    public init(text: String, path: String) {
        self.text = text
        self.path = path
        time = 0
        ruleCount = 0
        sets = [:]
        counters = []
        statePlaces = [:]
        maps = []
        code = []
    }

    /// The bytes that go into the map.
    public func encoded() -> [UInt8] {
        var body = ManifestWriter()
        FilterRecordCoder.write(self, to: &body)
        return Self.header.sealed(body)
    }

    /// Reads what ``encoded()`` wrote; bytes behind the stated length are ignored.
    public init(decoding bytes: [UInt8]) throws(Manifest.Unreadable) {
        try self.init(body: bytes, in: Self.header.body(of: bytes))
    }

    /// Reads what follows the header.
    package init(body bytes: [UInt8], in range: Range<Int>) throws(Manifest.Unreadable) {
        var body = ManifestReader(bytes, in: range)
        do throws(ManifestReader.Damage) {
            self = try FilterRecordCoder.read(from: &body)
        } catch {
            throw .damaged
        }
    }

    private static let header = RecordHeader("xdpRules", version: version)
}

extension FilterRecord {
    /// Makes the frozen map.
    func save() throws(BPFError) -> MapHandle {
        try FrozenBytes.save(encoded(), name: Self.mapName)
    }

    /// What a member's maps say of it; nil where it is no filter.
    package static func find(in member: Member) throws(BPFError) -> Result<FilterRecord, Manifest.Unreadable>?
    {
        let place = zip(member.unit.maps, member.mapIDs).first { $0.0.definition.name == mapName }
        guard let id = place?.1 else { return nil }
        let map = try BPFMap(id: id)
        guard let bytes = try FrozenBytes.read(map, try map.information().definition) else {
            return .failure(.damaged)
        }
        do throws(Manifest.Unreadable) {
            let record = try FilterRecord(decoding: bytes)
            guard record.maps.count == member.mapIDs.count else { return .failure(.damaged) }
            return .success(record)
        } catch {
            return .failure(error)
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// A rule set as a program: what becomes a member of the chain once its maps are there.
public struct CompiledFilter: Sendable {
    /// `unit.maps[i]` is what ``roles``[i] says.
    public var unit: XDP.Unit
    public var roles: [FilterMapRole]
    /// How packets find their rule, for people.
    public var plan: FilterPlan

    public init(unit: XDP.Unit, roles: [FilterMapRole], plan: FilterPlan) {
        self.unit = unit
        self.roles = roles
        self.plan = plan
    }
}

/// What a map of a filter is for, and so where it comes from when the filter is put on an interface.
public enum FilterMapRole: Sendable, Hashable {
    /// Made new for every compiled program: an array of one value with these bytes, frozen before use.
    case constant([UInt8])
    /// Made new for every compiled program, with these elements: keys and values as they are written.
    case lookup([FilterMapEntry])
    /// A part of a set that the rules name; kept as long as the set's declaration stays.
    case set(String, SetLayout.Part)
    /// Where rules count: per-CPU array, a value of 16 bytes (packets, bytes) for each place.
    case counters(page: Int)
    /// An array of one value of ``FilterState/size`` bytes that user space and the program share.
    case state
    /// The ring buffer with reports (``LogSettings``).
    case log
    /// Token buckets (``Limit``).
    case buckets
    /// A devmap: the interfaces by their places.
    case devices([String])
    /// What the filter was made from: written and read by ``FilterRecord``; the program does not look into it.
    case record
}

/// One element of a map.
public struct FilterMapEntry: Sendable, Hashable {
    public var key: [UInt8]
    public var value: [UInt8]

    public init(key: [UInt8], value: [UInt8]) {
        self.key = key
        self.value = value
    }
}

/// The page that user space and the filter share.
///
/// | Offset | Content |
/// |---|---|
/// | 0 | 8 bytes that are always 0; a number for the program of which the verifier knows nothing |
/// | 8 + 4 × place | not 0 if the part of a set that has this place may have elements: 0 saves the lookup |
/// | 4080 | 8 bytes by which user space takes turns at changing sets (``FilterStatePage``); nothing for the program |
/// | 4088 | 8 bytes: reports (``LogReport``) for which the ring had no room |
public enum FilterState {
    public static let size = 4096
    public static let places = (size - 24) / 4
    public static let turn = size - 16
    public static let lostReports = size - 8

    /// What its map is made from: an array that processes map into memory, because several of them write in it.
    public static func definition(name: String = "filter_state") -> MapDefinition {
        MapDefinition(
            name: name, type: .array, keySize: 4, valueSize: UInt32(size), maximumEntries: 1,
            flags: MappedValue.mapFlag)
    }

    public static func offset(ofPlace place: Int) -> Int { 8 + 4 * place }
}

/// Where a rule counts: the page, and the place on it. Pages double: page n has 64 << n places.
public struct CounterPlace: Sendable, Hashable, Codable {
    public var page: Int
    public var place: Int

    public init(page: Int, place: Int) {
        self.page = page
        self.place = place
    }

    public static func places(onPage page: Int) -> Int { 64 << page }

    /// The place of a number that counts through all pages.
    public init(number: Int) {
        // Pages before page n have 64 * (2^n - 1) places together.
        let page = Int.bitWidth - 1 - (number / 64 + 1).leadingZeroBitCount
        self.init(page: page, place: number - 64 * ((1 << page) - 1))
    }

    /// The number that counts through all pages.
    public var number: Int { 64 * ((1 << page) - 1) + place }
}

/// What the compiler has to know beside the rules.
public struct CompilerInput: Sendable {
    public var rules: RuleSet
    /// Where rules count; a rule that is not here counts nowhere. Rules with the same ``Rule/counter`` share one.
    public var counters: [RuleID: CounterPlace]
    /// The places in the ``FilterState`` of the parts of sets; of what is not here it is assumed that there are
    /// elements.
    public var statePlaces: [SetPartKey: Int]
    /// The room of each set's maps.
    public var capacities: [String: UInt32]
    /// The indexes of the interfaces that are named in matches; those that do not exist match nothing.
    public var interfaces: [String: UInt32]
    public var abilities: KernelAbilities
    /// Whether it shall handle packets of several buffers, where the kernel can: then the length of a packet is asked of
    /// the kernel, which costs some 9 ns for each packet that is counted.
    public var handlesFrags = true
    /// What becomes of both.
    var usesFrags: Bool { handlesFrags && abilities.hasFrags }

    public struct SetPartKey: Sendable, Hashable {
        public var set: String
        public var part: SetLayout.Part

        public init(set: String, part: SetLayout.Part) {
            self.set = set
            self.part = part
        }
    }

    /// What the kernel can, found out by trying.
    public struct KernelAbilities: Sendable, Hashable {
        /// `xdp.frags` and `bpf_xdp_get_buff_len` (5.18).
        public var hasFrags = true
        /// Atomic compare-and-exchange (5.12).
        public var hasCompareExchange = true

        public init() {}
    }

    public init(_ rules: RuleSet) {
        self.rules = rules
        counters = [:]
        statePlaces = [:]
        capacities = [:]
        interfaces = [:]
        abilities = KernelAbilities()
    }

    /// Gives every rule that counts a place, in order, those of one counter the same.
    public mutating func assignCounters() {
        var named: [String: CounterPlace] = [:]
        var next = 0
        func place(of rule: Rule?, _ id: RuleID) {
            guard rules.countsRules || rule?.counter != nil else { return }
            if let name = rule?.counter, let known = named[name] {
                counters[id] = known
                return
            }
            let fresh = CounterPlace(number: next)
            next += 1
            if let name = rule?.counter { named[name] = fresh }
            counters[id] = fresh
        }
        for (index, rule) in rules.rules.enumerated() { place(of: rule, .rule(group: nil, index: index)) }
        for group in rules.groups {
            for (index, rule) in group.rules.enumerated() {
                place(of: rule, .rule(group: group.name, index: index))
            }
        }
        place(of: nil, .policy)
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import XDP

/// A filter that is on an interface, as the kernel knows it.
public struct LiveFilter: Sendable {
    /// What it is called, whatever its member is called while new rules wait to be confirmed.
    public let name: String
    /// The member that packets meet now: until they are confirmed or given up, the new rules.
    public let member: Member
    public let record: FilterRecord
    /// What ``record`` says.
    public let rules: RuleSet
    /// The gate, where new rules were put on for a time; the filter is what the gate leads to now.
    public let gate: FilterGate?
    /// Where each rule counts.
    public let counters: [RuleID: FilterRecord.CounterEntry]

    /// The filter that goes by a name; nil where the chain has none.
    ///
    /// What it says of maps holds as long as the chain does that was read.
    public init?(_ name: String, in chain: Chain) throws(XDPError) {
        let gate = try FilterGate.find(of: name, in: chain)
        let isNew = gate?.isOpen ?? false
        guard let member = chain[isNew ? FilterGate.newName(of: name) : name] else { return nil }
        try self.init(member, called: name, gate: gate)
    }

    /// A member as a filter; nil where it is none.
    init?(_ member: Member, called name: String, gate: FilterGate? = nil) throws(XDPError) {
        let what = "The filter \(member.name) cannot be read"
        let found: Result<FilterRecord, Manifest.Unreadable>?
        do throws(BPFError) {
            found = try FilterRecord.find(in: member)
        } catch {
            throw XDPError(error, during: what)
        }
        switch found {
        case nil: return nil
        case .success(let record)?: self.record = record
        case .failure(.newer(let version))?:
            throw XDPError(
                .refused, what,
                because: "its record is of format \(version), and this xdpctl knows formats up to "
                    + "\(FilterRecord.version)",
                remedy: "Use the newer xdpctl that put it there")
        case .failure?:
            throw XDPError(
                .refused, what, because: "its record is damaged",
                remedy: "Take it off with `xdpctl unload`, and apply the rules again")
        }
        self.name = name
        self.member = member
        self.gate = gate
        rules = try RuleSet(recorded: record.text, what)
        var known: [RuleIdentity: FilterRecord.CounterEntry] = [:]
        for entry in record.counters { known[entry.identity] = entry }
        counters = Dictionary(
            rules.counting.compactMap { id, identity in known[identity].map { (id, $0) } }
        ) { $1 }
    }

    /// All filters of a chain, in its order.
    public static func all(in chain: Chain) throws(XDPError) -> [LiveFilter] {
        var found: [LiveFilter] = []
        for name in names(in: chain) {
            if let filter = try LiveFilter(name, in: chain) { found.append(filter) }
        }
        return found
    }

    /// All filters on an interface.
    public static func all(on interface: Interface) throws(XDPError) -> [LiveFilter] {
        try reading(interface) { chain throws(XDPError) in try all(in: chain) }
    }

    /// A filter on an interface: that of a name, or the only one.
    public static func find(on interface: Interface, name: String? = nil) throws(XDPError) -> LiveFilter {
        let what = "The filter of \(interface.name) cannot be found"
        return try reading(interface) { chain throws(XDPError) in
            let chosen = try choose(name, in: chain, on: interface.name, what)
            if let filter = try LiveFilter(chosen, in: chain) { return filter }
            throw Self.missing(what, chosen, in: chain, on: interface.name)
        }
    }

    // MARK: Maps

    /// The kernel's id of the map that something is kept in; nil where the filter has none.
    public func mapID(of kind: FilterRecord.MapKind) -> UInt32? {
        mapIDs(of: kind).first
    }

    /// The kernel's ids of all maps of a kind, in the order of the member's.
    public func mapIDs(of kind: FilterRecord.MapKind) -> [UInt32] {
        zip(record.maps, member.mapIDs).filter { $0.0 == kind }.map(\.1)
    }

    /// The maps of a set, by part.
    public func maps(ofSet name: String) -> [SetLayout.Part: UInt32] {
        var found: [SetLayout.Part: UInt32] = [:]
        for (kind, id) in zip(record.maps, member.mapIDs) {
            if case .set(name, let part) = kind { found[part] = id }
        }
        return found
    }

    /// The interfaces that rules redirect to, by their places in the devmap.
    public var devices: [String] {
        for case .devices(let names) in record.maps { return names }
        return []
    }

    /// What each rule, named counter and the policy counted; what does not count is missing.
    public func counted() throws(XDPError) -> [RuleIdentity: Counter] {
        var found: [RuleIdentity: Counter] = [:]
        do throws(BPFError) {
            var pages: [Int: MapHandle] = [:]
            for entry in record.counters {
                let number = entry.place.page
                if pages[number] == nil, let id = mapID(of: .counters(page: number)) {
                    pages[number] = try MapHandle(id: id)
                }
                guard let page = pages[number] else { continue }
                let value = try CounterValues.read(page.map, entry.place.place)
                found[entry.identity] = Counter(
                    packets: value.packets &- entry.baseline.packets,
                    bytes: value.bytes &- entry.baseline.bytes)
            }
        } catch {
            throw XDPError(error, during: "The counters of \(name) cannot be read")
        }
        return found
    }
}

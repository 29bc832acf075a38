// SPDX-License-Identifier: Apache-2.0
import BPF
import CBPF
import TestSupport

@testable import Filter
@testable import XDP

/// A rule set that is compiled, linked and loaded, with all of its maps, and attached to nothing. Needs root.
final class FilterProgram {
    /// What a rule counted.
    struct Count: Hashable {
        var packets: UInt64 = 0
        var bytes: UInt64 = 0
    }

    /// The indexes of the interfaces that rules may name. A test run comes in by the loopback interface, which has the
    /// index 1 in every namespace.
    static let interfaces: [String: UInt32] = ["veth0": 1, "eth1": 77]
    static let ingress: UInt32 = 1

    let rules: RuleSet
    let compiled: CompiledFilter
    /// The chain with the filter as its only member, or the program as it is.
    private let chain: KernelChain?
    private let alone: Alone?
    private let maps: [MapHandle]
    private let input: CompilerInput
    private var pages: [Int: MapHandle] = [:]
    /// What keeps the sets' maps alive.
    private let stores: [SetStore]

    /// - Parameters:
    ///   - knowsSets: whether the program is told which parts of sets are empty.
    ///   - isLinked: whether it goes through the linker, which takes longer than all else.
    init(_ rules: RuleSet, knowsSets: Bool = true, isLinked: Bool = false) throws(XDPError) {
        self.rules = rules
        var input = CompilerInput(rules)
        input.assignCounters()
        input.interfaces = Self.interfaces
        input.abilities = .probed()
        var stores: [SetStore] = []
        for declaration in rules.sets {
            let contents = try SetSource(declaration).read { Self.interfaces[$0] }
            let store = try SetStore.make(declaration, contents: contents)
            input.capacities[declaration.name] = store.capacity
            for part in store.layout.parts where knowsSets {
                input.statePlaces[.init(set: declaration.name, part: part)] = input.statePlaces.count
            }
            stores.append(store)
        }
        compiled = try FilterCompiler.compile(input)
        self.input = input
        var maps = FilterMaps(former: nil)
        for (place, role) in compiled.roles.enumerated() {
            let definition = compiled.unit.maps[place].definition
            switch role {
            case .set(let name, let part):
                guard let handle = stores.first(where: { $0.name == name })?.map(of: part) else {
                    throw XDPError(.failed, "A filter is made", because: "set \(name) has no part \(part)")
                }
                maps.add(handle)
            case .devices(let names):
                try maps.addDevices([UInt32](repeating: Self.ingress, count: names.count), definition)
            default:
                try maps.add(role, definition)
            }
        }
        let handles = maps.handles
        for (place, role) in compiled.roles.enumerated() {
            if case .counters(let page) = role { pages[page] = handles[place] }
            guard role == .state else { continue }
            let page = try FilterStatePage(handles[place])
            stores = try stores.map { store throws(XDPError) in
                try store.used(
                    page: page,
                    places: store.layout.parts.map { input.statePlaces[.init(set: store.name, part: $0)] })
            }
            for store in stores { try store.publishFlags() }
        }
        self.stores = stores
        self.maps = handles
        if isLinked {
            let member = Member(
                name: "filter", origin: "test", digest: [], unit: compiled.unit, mapIDs: handles.map(\.id))
            chain = try KernelChain(Chain(members: [member]), maps: ["filter": handles])
            alone = nil
        } else {
            chain = nil
            do throws(BPFError) {
                alone = Alone(try Program.load(LoadedFilter.image(of: compiled.unit, handles)).take())
            } catch {
                throw XDPError(error, during: "The filter is loaded")
            }
        }
    }

    /// A program that no chain holds.
    private final class Alone {
        let program: Program

        init(_ program: consuming Program) {
            self.program = program
        }
    }

    /// The verdict on a packet.
    func verdict(_ packet: [UInt8]) throws(BPFError) -> UInt32 {
        if let chain { return try chain.testRun(packet).verdict }
        if let alone { return try alone.program.testRun(packet).verdict }
        throw BPFError("run a filter", kernelMessage: "it was not loaded")
    }

    /// What the rules counted, those of one counter together.
    func counts() throws(BPFError) -> [CounterPlace: Count] {
        let cpus = max(1, Int(libbpf_num_possible_cpus()))
        var counts: [CounterPlace: Count] = [:]
        for place in Set(input.counters.values) {
            guard let page = pages[place.page] else { continue }
            let key = withUnsafeBytes(of: UInt32(place.place)) { Array($0) }
            guard let value = try page.map.lookup(key, valueSize: 16 * cpus) else { continue }
            let reader = ByteReader(value)
            var count = Count()
            for cpu in 0..<cpus {
                count.packets += reader.integer(at: cpu * 16) ?? 0
                count.bytes += reader.integer(at: cpu * 16 + 8) ?? 0
            }
            if count.packets > 0 { counts[place] = count }
        }
        return counts
    }

    /// The counters of rules that matched.
    func places(of decision: Decision) -> [CounterPlace] {
        decision.matched.compactMap { input.counters[$0] }
    }

    /// How many bytes of a packet of a test run stand in its first buffer, as the program sees it.
    static func firstBuffer(of packet: [UInt8]) throws -> Int {
        let image = ProgramImage(
            name: "first_buffer",
            instructions: [
                .load(.word, .r0, from: .r1, offset: 4), .load(.word, .r2, from: .r1), .subtract(.r0, .r2),
                .exit,
            ],
            license: "Dual BSD/GPL")
        var framed = image
        framed.supportsFrags = true
        return Int(try Program.load(framed).take().testRun(packet).verdict)
    }
}

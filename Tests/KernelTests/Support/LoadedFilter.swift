// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import CBPF
import Filter
import Netlink
import XDP

/// A compiled filter in the kernel, on no interface: its maps made and filled, the program loaded.
final class LoadedFilter {
    let compiled: CompiledFilter
    let maps: [MapHandle]
    let program: Program
    let statistics: VerifierStatistics?

    /// - Parameter interfaces: indexes by name, for sets of interfaces; redirects lead to the loopback device.
    init(
        _ compiled: CompiledFilter, sets: [SetDeclaration], interfaces: [String: UInt32] = [:],
        now: UInt64 = 0
    )
        throws
    {
        let maps = try zip(compiled.unit.maps, compiled.roles).map { map, role in
            let handle = try MapHandle(map.definition)
            try Self.fill(handle, role, sets, interfaces, now: now)
            return handle
        }
        let image = Self.image(of: compiled.unit, maps)
        let loaded = try Program.load(image)
        statistics = loaded.statistics
        program = loaded.take()
        self.compiled = compiled
        self.maps = maps
    }

    /// What this kernel can.
    static let abilities: CompilerInput.KernelAbilities = {
        var abilities = CompilerInput.KernelAbilities()
        var image = ProgramImage.passing("frags")
        image.supportsFrags = true
        abilities.hasFrags = (try? Program.load(image)) != nil
        abilities.hasCompareExchange = (try? KernelNeed.compareExchange.isMissing()) == false
        return abilities
    }()

    /// A unit with its maps, past the linker.
    static func image(of unit: XDP.Unit, _ maps: [MapHandle]) -> ProgramImage {
        var image = ProgramImage(
            name: unit.program, instructions: bound(unit.instructions, maps), license: unit.license)
        image.supportsFrags = unit.supportsFrags
        image.functions = unit.functions
        image.lines = unit.lines
        return image
    }

    /// The instructions with the maps' descriptors.
    private static func bound(_ instructions: [Instruction], _ maps: [MapHandle]) -> [Instruction] {
        var result = instructions
        for (place, instruction) in instructions.enumerated() {
            let descriptor: (Int32) -> Int32 = { maps[Int($0)].map.descriptor.rawValue }
            switch instruction.wideKind {
            case .mapIndex:
                result.replaceSubrange(
                    place...(place + 1),
                    with: Instruction.loadMap(
                        instruction.destination, descriptor: descriptor(instruction.immediate)))
            case .mapIndexValue:
                result.replaceSubrange(
                    place...(place + 1),
                    with: Instruction.loadMapValue(
                        instruction.destination, descriptor: descriptor(instruction.immediate),
                        offset: instructions[place + 1].immediate))
            default: break
            }
        }
        return result
    }

    private static func fill(
        _ handle: MapHandle, _ role: FilterMapRole, _ sets: [SetDeclaration], _ interfaces: [String: UInt32],
        now: UInt64
    ) throws {
        switch role {
        case .constant(let bytes):
            try handle.map.update([0, 0, 0, 0], to: bytes)
            try handle.map.freeze()
        case .lookup(let entries):
            for entry in entries { try handle.map.update(entry.key, to: entry.value) }
        case .set(let name, let part):
            guard let set = sets.first(where: { $0.name == name }) else { return }
            try fill(handle, set, part, interfaces, now: now)
        case .devices(let names):
            for place in names.indices {
                try handle.map.update(Self.bytes(UInt32(place)), to: Self.bytes(UInt32(1)))
            }
        case .counters, .state, .log, .buckets, .record: break
        }
    }

    private static func fill(
        _ handle: MapHandle, _ set: SetDeclaration, _ part: SetLayout.Part, _ interfaces: [String: UInt32],
        now: UInt64
    ) throws {
        let layout = SetLayout(set)
        var table = [UInt8](repeating: 0, count: Int(handle.definition.valueSize))
        for element in set.elements {
            let life = element.timeout ?? set.timeout
            let entry = SetLayout.Entry(isDeclared: true, end: life.map { now + $0 * 1_000_000_000 })
            switch layout.storage(of: part) {
            case .table:
                guard case .numbers(let range)? = element.components.first else { continue }
                for number in range {
                    if layout.hasTimeouts {
                        table.replaceSubrange(
                            Int(number) * 8..<Int(number) * 8 + 8, with: bytes(entry.rawValue))
                    } else {
                        table[Int(number)] = UInt8(truncatingIfNeeded: entry.rawValue)
                    }
                }
            case .trie:
                guard case .prefix(let network)? = element.components.first,
                    network.isIPv6 == (part == .ipv6)
                else { continue }
                // Networks in one another live as long as the one that lives longest: not in these tests.
                let value = bytes(entry.rawValue) + (layout.hasTimeouts ? bytes(entry.rawValue) : [])
                try handle.map.update(bytes(UInt32(network.length)) + network.address.bytes, to: value)
            case .hash:
                guard let key = key(element, layout, part, interfaces) else { continue }
                try handle.map.update(key, to: bytes(entry.rawValue))
            }
        }
        if case .table = layout.storage(of: part) { try handle.map.update([0, 0, 0, 0], to: table) }
    }

    /// nil where an address is of the other family, or an interface is not there.
    private static func key(
        _ element: SetElement, _ layout: SetLayout, _ part: SetLayout.Part, _ interfaces: [String: UInt32]
    ) -> [UInt8]? {
        var key: [UInt8] = []
        for component in element.components {
            switch component {
            case .address(let address):
                guard address.isIPv6 == (part == .ipv6) else { return nil }
                key += address.bytes
            case .numbers(let range): key += bytes(range.lowerBound) + [0, 0]
            case .mac(let mac): key += mac.bytes + [0, 0]
            case .interface(let name):
                guard let index = interfaces[name] else { return nil }
                key += bytes(index)
            case .prefix: return nil
            }
        }
        return key
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number) { Array($0) }
    }

    /// Packets and bytes that were counted in a place, over all CPUs.
    func counted(_ place: CounterPlace) throws -> (packets: UInt64, bytes: UInt64) {
        guard let index = compiled.roles.firstIndex(of: .counters(page: place.page)) else { return (0, 0) }
        let cpus = max(1, Int(libbpf_num_possible_cpus()))
        let value = try maps[index].map.lookup(Self.bytes(UInt32(place.place)), valueSize: 16 * cpus) ?? []
        var sum: (packets: UInt64, bytes: UInt64) = (0, 0)
        value.withUnsafeBytes { buffer in
            for cpu in 0..<(buffer.count / 16) {
                sum.packets += buffer.loadUnaligned(fromByteOffset: cpu * 16, as: UInt64.self)
                sum.bytes += buffer.loadUnaligned(fromByteOffset: cpu * 16 + 8, as: UInt64.self)
            }
        }
        return sum
    }
}

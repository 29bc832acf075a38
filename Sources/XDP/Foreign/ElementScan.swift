// SPDX-License-Identifier: Apache-2.0
import BPF

/// Which maps have programs as elements: program arrays, and those that redirect to devices or processors and run a
/// program there.
struct ElementScan {
    /// Elements that are looked at in one map.
    static let maximumElements = 65_536

    private var found: [UInt32: [UInt32]] = [:]
    /// Whether there was more than is looked at, or something could not be read.
    private(set) var isCut = false

    init(programs: Set<UInt32>) {
        guard !programs.isEmpty else { return }
        guard let ids = try? KernelIDs.maps() else {
            isCut = true
            return
        }
        for id in ids {
            // Gone meanwhile is no gap.
            guard let map = try? BPFMap(id: id), let information = try? map.information() else { continue }
            let definition = information.definition
            guard let offset = Self.programOffset(definition) else { continue }
            for program in elements(of: map, definition, at: offset) where programs.contains(program) {
                found[program, default: []].append(id)
            }
        }
    }

    /// The maps that have a program.
    func maps(of program: UInt32) -> [UInt32] { found[program] ?? [] }

    /// Where in a value the id of a program stands; nil for maps without. `struct bpf_devmap_val` and
    /// `struct bpf_cpumap_val` (linux/bpf.h) have it in the second four bytes, if the map has them.
    private static func programOffset(_ definition: MapDefinition) -> Int? {
        switch definition.type {
        case .programArray: 0
        case .deviceMap, .deviceHash, .processorMap: definition.valueSize >= 8 ? 4 : nil
        default: nil
        }
    }

    private mutating func elements(
        of map: borrowing BPFMap, _ definition: MapDefinition, at offset: Int
    ) -> Set<UInt32> {
        var programs: Set<UInt32> = []
        var key: [UInt8]?
        for _ in 0..<Self.maximumElements {
            do throws(BPFError) {
                guard let next = try map.key(after: key, keySize: Int(definition.keySize)) else {
                    return programs
                }
                key = next
                guard let value = try map.lookup(next, valueSize: Int(definition.valueSize)),
                    let id = ByteReader(value).integer(at: offset, as: UInt32.self), id != 0
                else { continue }
                programs.insert(id)
            } catch {
                isCut = true
                return programs
            }
        }
        isCut = true
        return programs
    }
}

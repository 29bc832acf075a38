// SPDX-License-Identifier: Apache-2.0
import BPF
import Glibc
import XDP

/// Which cpumaps programs on some interfaces use: their tracepoints name a map, and no interface.
struct ProcessorMaps {
    private let interfaces: Set<UInt32>?
    private var maps: Set<UInt32> = []
    private var readTime = 0

    /// - Parameter interfaces: indices; nil for all, which all cpumaps of the machine belong to.
    init(_ interfaces: Set<UInt32>?) {
        self.interfaces = interfaces
    }

    /// Whether an event of this key is one of the interfaces', as far as it says; nil where that is not known yet.
    mutating func mayHold(_ key: XDPEvent.Key) -> Bool? {
        guard let interfaces, key.kind == .cpumapEnqueue || key.kind == .cpumapRun else { return true }
        if maps.contains(key.map) { return true }
        // A program may have come since; but that is not asked with each event.
        let now = time(nil)
        guard now != readTime else { return nil }
        readTime = now
        read(interfaces)
        return maps.contains(key.map)
    }

    private mutating func read(_ interfaces: Set<UInt32>) {
        maps = []
        for interface in (try? Interface.all()) ?? [] where interfaces.contains(interface.index) {
            for attachment in interface.link.attachments {
                guard let program = try? Program(id: attachment.programID) else { continue }
                maps.formUnion((try? program.mapIDs()) ?? [])
            }
        }
    }
}

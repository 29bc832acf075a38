// SPDX-License-Identifier: Apache-2.0
import BPF

extension ChainLoader {
    /// Loads a chain with given members isolated and given cuts, which a change does only where it must: for
    /// tests and benchmarks. The arrays live as long as the pool.
    ///
    /// - Parameters:
    ///   - isolated: names of members.
    ///   - starts: topological places at which a new segment begins.
    /// - Returns: the program to attach, and the chain with the programs that belong to it.
    package func load(
        _ chain: inout Chain, counting: Linker.Counting, isolating isolated: Set<String>,
        cutAt starts: Set<Int>
    ) throws(XDPError) -> LoadedChain {
        try isolate(isolated, in: &chain)
        guard !starts.isEmpty else { return try load(chain, counting: counting) }
        let what = "The chain cannot be loaded"
        let array: MapHandle
        do throws(BPFError) {
            array = try MapHandle(BPFMap.programArray("xdpctl_segments", places: chain.members.count))
        } catch {
            throw XDPError(error, during: what)
        }
        maps.add([array])
        let linked: [LinkedProgram]
        do throws(LinkFailure) {
            linked = try link(chain, counting: counting, segmentation: .init(array: array.id, starts: starts))
        } catch {
            throw error.error
        }
        let root = try load(linked[0], of: chain)
        for (place, part) in linked.dropFirst().enumerated() {
            let program = try load(part, of: chain).take()
            do throws(BPFError) {
                try array.map.setProgram(program, at: place)
            } catch {
                throw XDPError(error, during: what)
            }
        }
        return root
    }

    /// Gives members programs of their own.
    private func isolate(_ names: Set<String>, in chain: inout Chain) throws(XDPError) {
        let supportsFrags = chain.members.allSatisfy(\.unit.supportsFrags)
        let loader = SeparateLoader(maps: maps, attachType: attachType, supportsFrags: supportsFrags)
        for name in names.sorted() {
            guard let member = chain[name] else { continue }
            let separate = try loader.separate(member, because: SeparateProgram.wanted)
            try chain.update(name) { $0.separate = separate }
        }
    }
}

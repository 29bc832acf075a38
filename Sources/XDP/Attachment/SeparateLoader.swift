// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Loads members as programs of their own, and puts them into the arrays through which a chain calls them.
struct SeparateLoader {
    let maps: MapPool
    /// What the chain that calls them is loaded for; it has to be the same.
    let attachType: AttachType
    let supportsFrags: Bool

    /// Loads a member's own program, with all its maps and a record of the member bound to it.
    ///
    /// The record makes the exchange of such a program in its array one step: whoever looks at the array sees
    /// the code and what belongs to it change together.
    func load(_ member: Member) throws(XDPError) -> Program {
        var alone = member
        alone.separate = nil
        alone.edges = [:]
        let chain = Chain(members: [alone], counters: .off)
        var loader = ChainLoader(maps: maps)
        loader.attachType = attachType
        var linked = try loader.link(chain)
        if !linked.functions.isEmpty { linked.functions[0].name = member.unit.program }
        let loaded: Program
        do throws(BPFError) {
            loaded = try load(linked, member, loader)
        } catch {
            if supportsFrags, error.verifierLog?.reason == nil, !KernelFeatures.hasFrags() {
                throw ChainLoader.withoutFrags([member.name])
            }
            throw VerifierExplanation(linked, chain).explain(error)
        }
        do throws(BPFError) {
            for id in Set(member.mapIDs).sorted() { try loaded.bind(maps.handle(id).map) }
            try loaded.bind(try MemberRecord.save(member).map)
        } catch {
            throw XDPError(error, during: "\(member.name) cannot be loaded as a program of its own")
        }
        return loaded
    }

    /// With the object's own type information where that still exists, else with the smallest that names the
    /// functions and lines.
    private func load(
        _ linked: LinkedProgram, _ member: Member, _ loader: ChainLoader
    ) throws(BPFError) -> Program {
        let name = member.unit.program
        if let types = member.unit.types {
            do throws(BPFError) {
                return try loader.load(
                    alone: linked, name: name, types: types, supportsFrags: supportsFrags)
            } catch {
                if error.verifierLog?.reason != nil { throw error }
            }
        }
        return try loader.load(alone: linked, name: name, types: nil, supportsFrags: supportsFrags)
    }

    /// Loads a member's own program and makes the array through which the chain calls it.
    ///
    /// - Parameter reason: why it is not part of the linked program.
    func separate(_ member: Member, because reason: String) throws(XDPError) -> SeparateProgram {
        let program = try load(member)
        do throws(BPFError) {
            return SeparateProgram(
                programID: try program.information().id, arrayID: try array(for: program).id,
                supportsFrags: supportsFrags, reason: reason)
        } catch {
            throw XDPError(error, during: "\(member.name) cannot be given a program of its own")
        }
    }

    /// Makes the array of one place for a program.
    private func array(for program: borrowing Program) throws(BPFError) -> MapHandle {
        let array = try MapHandle(BPFMap.programArray("xdpctl_member", places: 1))
        try array.map.setProgram(program, at: 0)
        maps.add([array])
        return array
    }
}

// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Makes the programs of a chain: links, loads, and where that does not work moves members down the ladder,
/// one at a time, until it does or nothing is left to be moved.
struct ChainBuilder {
    let interface: Interface
    /// What the chain was before; nil for a new one.
    let base: Manifest?
    let maps: MapPool
    let what: String
    /// The chain as it will be; names of programs and arrays are filled in.
    private(set) var chain: Chain
    private(set) var counterPages: [UInt32]
    private var starts: Set<Int>
    private let attachType: AttachType
    private let isOffloaded: Bool
    private let supportsFrags: Bool
    /// Whether taps went: then what they left no room for may fit again.
    private let lostTaps: Bool

    /// The programs of a chain in the kernel, attached to nothing yet.
    struct Built: ~Copyable {
        /// The program to attach.
        var program: Program
        var chain: Chain
        var counterPages: [UInt32]
        /// Kernel id of the array of segments; 0 for none.
        var segmentArray: UInt32
        var attachType: AttachType
        var supportsFrags: Bool
        /// The maps that the program's instructions refer to.
        var boundMaps: Set<UInt32>
        var verifiedInstructions: UInt32
        var frame: UInt32

        consuming func take() -> Program { program }
    }

    init(
        _ chain: Chain, on interface: Interface, base: Manifest?, mode: ModeRequest, attachType: AttachType,
        maps: MapPool, what: String
    ) throws(XDPError) {
        self.chain = chain
        self.interface = interface
        self.base = base
        self.maps = maps
        self.what = what
        self.attachType = attachType
        counterPages = base?.counterPages ?? []
        isOffloaded = mode == .offload
        let graph = try ChainGraph(chain)
        supportsFrags =
            graph.nodes.isEmpty
            ? KernelFeatures.hasFrags()
            : graph.nodes.allSatisfy { chain.members[$0.member].unit.supportsFrags }
        lostTaps = Self.lostTaps(chain, base)
        starts = Self.starts(graph, chain, base: base)
    }

    private static func lostTaps(_ chain: Chain, _ base: Manifest?) -> Bool {
        let former = Set(base?.chain.taps.map(\.name) ?? [])
        return !former.subtracting(chain.taps.map(\.name)).isEmpty
    }

    /// Where the chain was cut before, unless it lost members or taps since: then it may fit again.
    static func starts(_ graph: ChainGraph, _ chain: Chain, base: Manifest?) -> Set<Int> {
        guard let base, base.segmentArray != 0, base.chain.members.count <= chain.members.count,
            !lostTaps(chain, base)
        else { return [] }
        var starts: Set<Int> = []
        var current = 0
        for (place, node) in graph.nodes.enumerated() {
            let segment = base.chain[chain.members[node.member].name]?.composition.segment ?? current
            guard segment > current else { continue }
            if place > 0 { starts.insert(place) }
            current = segment
        }
        return starts
    }

    mutating func build() throws(XDPError) -> Built {
        try chain.settleTaps()
        try checkFrags()
        try settleSeparatePrograms()
        // Each failure moves one member, or cuts once.
        for _ in 0..<(chain.members.count * 2 + 2) {
            try prepareCounters()
            let failure: LinkFailure
            do throws(LinkFailure) {
                return try attempt()
            } catch {
                failure = error
            }
            try follow(failure)
        }
        throw XDPError(
            .failed, what,
            because: "the members do not fit into programs of the kernel, however they are split")
    }

    // MARK: Members with programs of their own

    /// Gives members programs of their own that shall have one, and takes them where they are not wanted or do
    /// not suit the chain any more.
    private mutating func settleSeparatePrograms() throws(XDPError) {
        for place in chain.members.indices {
            let member = chain.members[place]
            if member.adopted != nil {
                try checkAdopted(member)
                continue
            }
            if let separate = member.separate {
                let isWanted = member.settings.isIsolated || !isOver(separate.reason)
                // An array that somebody emptied gets its program back.
                let isThere = separate.programID != 0
                if isWanted, isThere, separate.supportsFrags == supportsFrags { continue }
                try chain.update(member.name) { $0.separate = nil }
                if isWanted { try isolate(place, separate.reason) }
            } else if member.settings.isIsolated {
                try isolate(place, SeparateProgram.wanted)
            }
        }
    }

    /// Whether what a member got a program of its own for is there no more.
    private func isOver(_ reason: String) -> Bool {
        reason == SeparateProgram.wanted || (lostTaps && reason.hasSuffix(SeparateProgram.whileTapped))
    }

    private func checkAdopted(_ member: Member) throws(XDPError) {
        guard member.unit.supportsFrags != supportsFrags else { return }
        let other = chain.members.first { !$0.unit.supportsFrags }?.name ?? "another member"
        throw XDPError(
            .refused, what,
            because:
                "\(member.name), loaded by somebody else, handles packets of several buffers (xdp.frags), and "
                + "\(other) does not: the kernel lets a program call only its like",
            remedy: "Build \(other) for the section xdp.frags, or release \(member.name)")
    }

    private mutating func isolate(_ place: Int, _ reason: String) throws(XDPError) {
        let member = chain.members[place]
        if isOffloaded {
            throw XDPError(
                .refused, "\(member.name) cannot have a program of its own",
                because: "the chain runs on the card, which does no tail calls", remedy: reason)
        }
        let loader = SeparateLoader(maps: maps, attachType: attachType, supportsFrags: supportsFrags)
        let separate = try loader.separate(member, because: reason)
        try chain.update(member.name) { $0.separate = separate }
    }

    /// Does what would help, or says why it is impossible.
    private mutating func follow(_ failure: LinkFailure) throws(XDPError) {
        switch failure.way {
        case .isolate(let place, let reason)? where chain.members[place].separate == nil && !isOffloaded:
            try isolate(place, reason + (chain.taps.isEmpty ? "" : SeparateProgram.whileTapped))
        case .cut(let place)? where !starts.contains(place) && !isOffloaded:
            starts.insert(place)
        default: throw failure.error
        }
    }

    // MARK: Counters

    /// Gives every new member a place in the counters, and makes pages as needed. A place that somebody had
    /// before keeps its numbers; they are remembered and subtracted.
    ///
    /// Where nothing is counted there are pages all the same if packets may be missed by a tail call.
    private mutating func prepareCounters() throws(XDPError) {
        let hasTailCalls = !starts.isEmpty || chain.members.contains { $0.separate != nil }
        guard chain.counters != .off || hasTailCalls else { return }
        do throws(BPFError) {
            var taken = Set(chain.members.map(\.counterSlot).filter { $0 >= 0 })
            let newcomers = chain.members.filter { $0.counterSlot < 0 }.map(\.name)
            let reader = newcomers.isEmpty ? nil : try CounterReader(pageIDs: counterPages)
            for name in newcomers {
                let slot = (0...).first { !taken.contains($0) } ?? 0
                taken.insert(slot)
                let baseline = reader?.value(ofSlot: slot) ?? MemberCounters()
                try? chain.update(name) {
                    $0.counterSlot = slot
                    $0.counterBaseline = baseline
                }
            }
            while let last = taken.max(), counterPages.count <= last / CounterPage.members {
                let page = try MapHandle(CounterPage.definition)
                maps.add([page])
                counterPages.append(page.id)
            }
        } catch {
            throw XDPError(error, during: what)
        }
    }

    // MARK: Linking and loading

    private func attempt() throws(LinkFailure) -> Built {
        var loader = ChainLoader(maps: maps)
        loader.offloadInterface = isOffloaded ? interface.index : 0
        loader.attachType = attachType
        let counting = Linker.Counting(mode: chain.counters, pageIDs: counterPages)
        var segmentation = Linker.Segmentation.none
        var array: MapHandle?
        if !starts.isEmpty {
            // A place for each member is more than enough.
            do throws(BPFError) {
                let made = try MapHandle(
                    BPFMap.programArray("xdpctl_segments", places: chain.members.count))
                maps.add([made])
                segmentation = .init(array: made.id, starts: starts)
                array = made
            } catch {
                throw LinkFailure(XDPError(error, during: what))
            }
        }
        let linked = try loader.link(chain, counting: counting, segmentation: segmentation)
        var verified: UInt32 = 0
        let root = try load(linked[0], "xdpctl_chain", loader, &verified)
        for (place, part) in linked.dropFirst().enumerated() {
            let program = try load(part, "xdpctl_segment", loader, &verified)
            do throws(BPFError) {
                try array?.map.setProgram(program, at: place)
            } catch {
                throw LinkFailure(XDPError(error, during: what))
            }
        }
        var chain = self.chain
        for (place, composition) in linked[0].compositions.enumerated() {
            try? chain.update(chain.members[place].name) { $0.composition = composition }
        }
        return Built(
            program: root, chain: chain, counterPages: counterPages, segmentArray: segmentation.array,
            attachType: attachType, supportsFrags: linked[0].supportsFrags,
            boundMaps: Set(linked[0].mapIDs), verifiedInstructions: verified,
            frame: UInt32(clamping: linked.map(\.frame).max() ?? 0))
    }

    private func load(
        _ linked: LinkedProgram, _ name: String, _ loader: ChainLoader, _ verified: inout UInt32
    ) throws(LinkFailure) -> Program {
        do throws(BPFError) {
            let loaded = try loader.loadProgram(linked, name: name)
            verified &+= UInt32(clamping: loaded.statistics?.processedInstructions ?? 0)
            return loaded.take()
        } catch {
            let explanation = VerifierExplanation(linked, chain)
            throw LinkFailure(loader.explain(error, linked, of: chain), way: explanation.way(out: error))
        }
    }

    /// A program array takes only programs that agree in the handling of several buffers with the first one
    /// that used it; a chain that changes in that cannot keep its members' arrays.
    private func checkFrags() throws(XDPError) {
        guard let base, base.supportsFrags != supportsFrags else { return }
        func own(_ member: Member) -> Set<UInt32> {
            Set(member.programArrayIDs).subtracting([member.separate?.arrayID].compactMap { $0 })
        }
        let old = Set(base.chain.members.flatMap { own($0) })
        guard let member = chain.members.first(where: { !old.isDisjoint(with: own($0)) }) else { return }
        let other = chain.members.first { $0.unit.supportsFrags != base.supportsFrags }
        throw XDPError(
            .refused, what,
            because:
                "\(member.name) does tail calls in a chain that \(base.supportsFrags ? "handles" : "does not handle") "
                + "packets of several buffers (xdp.frags), and \(other?.name ?? "another member") would change that",
            remedy: "Build both alike, as xdp.frags or not")
    }
}

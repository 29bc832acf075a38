// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode

/// Links a chain and has the verifier take it.
package struct ChainLoader {
    /// Where map descriptors come from.
    let maps: MapPool
    /// The card to translate for; 0 for none.
    var offloadInterface: UInt32 = 0
    /// What the chain is loaded for.
    var attachType = AttachType.xdp

    package init(maps: MapPool) {
        self.maps = maps
    }

    /// A chain in the kernel that nothing is attached to yet.
    package struct LoadedChain: ~Copyable {
        package var program: Program
        package var linked: LinkedProgram
        package var statistics: VerifierStatistics?

        /// Gives up what was found out about the program.
        package consuming func take() -> Program { program }
    }

    /// Links a chain that fits into one program.
    func link(_ chain: Chain, counting: Linker.Counting = .none) throws(XDPError) -> LinkedProgram {
        do throws(LinkFailure) {
            return try link(chain, counting: counting, segmentation: .none)[0]
        } catch {
            throw error.error
        }
    }

    /// Links within the limits of every kernel, and only where that is not enough asks what this one allows.
    ///
    /// - Returns: the program to attach, then those of the further segments; never none.
    func link(
        _ chain: Chain, counting: Linker.Counting, segmentation: Linker.Segmentation
    ) throws(LinkFailure) -> [LinkedProgram] {
        let careful: Result<[LinkedProgram], LinkFailure>
        var linker = Linker(limits: .oldest)
        if chain.members.isEmpty { linker.emptyChainsSupportFrags = KernelFeatures.hasFrags() }
        do throws(LinkFailure) {
            let linked = try linker.link(chain, counting: counting, segmentation: segmentation)
            // A member that was moved out of line for want of stack may fit here.
            let wasSqueezed = linked[0].compositions.contains {
                $0.mode == .call && $0.reason.contains("stack")
            }
            if !wasSqueezed { return linked }
            careful = .success(linked)
        } catch {
            if error.error.kind != .refused { throw error }
            careful = .failure(error)
        }
        let limits = KernelFeatures.limits()
        if limits == .oldest { return try careful.get() }
        linker.limits = limits
        return try linker.link(chain, counting: counting, segmentation: segmentation)
    }

    /// Links a chain that fits into one program, and has the verifier take it.
    package func load(_ chain: Chain, counting: Linker.Counting) throws(XDPError) -> LoadedChain {
        try load(try link(chain, counting: counting), of: chain)
    }

    /// Has the verifier take what was linked from a chain.
    package func load(_ linked: LinkedProgram, of chain: Chain) throws(XDPError) -> LoadedChain {
        do throws(BPFError) {
            return try loadProgram(linked)
        } catch {
            throw explain(error, linked, of: chain)
        }
    }

    /// Why the kernel does not take a program that was linked from a chain.
    func explain(_ error: BPFError, _ linked: LinkedProgram, of chain: Chain) -> XDPError {
        if linked.supportsFrags, error.verifierLog?.reason == nil, !KernelFeatures.hasFrags() {
            return Self.withoutFrags(chain.members.map(\.name))
        }
        return VerifierExplanation(linked, chain).explain(error)
    }

    func loadProgram(
        _ linked: LinkedProgram, name: String = "xdpctl_chain"
    ) throws(BPFError) -> LoadedChain {
        var image = ProgramImage(
            name: name, instructions: try patched(linked), license: linked.license)
        image.supportsFrags = linked.supportsFrags
        image.functions = linked.functions
        image.lines = linked.lines
        image.offloadInterface = offloadInterface
        image.attachType = attachType
        let loaded: Program.Loaded
        let statistics: VerifierStatistics?
        if linked.modules.isEmpty {
            loaded = try Program.load(image)
        } else {
            loaded = try load(image, modules: linked.modules)
        }
        statistics = loaded.statistics
        return LoadedChain(program: loaded.take(), linked: linked, statistics: statistics)
    }

    static func withoutFrags(_ members: [String]) -> XDPError {
        let names = members.joined(separator: ", ")
        return XDPError(
            .refused, "The chain cannot be loaded",
            because: "\(names): built as xdp.frags, and this kernel does not know packets of several buffers",
            remedy: "Use Linux 5.18 or newer, or build for the section xdp")
    }

    /// Loads one member as it is.
    ///
    /// - Parameter types: the object's own type information instead of the smallest.
    func load(
        alone linked: LinkedProgram, name: String, types: OwnTypes?, supportsFrags: Bool
    ) throws(BPFError) -> Program {
        var image = ProgramImage(
            name: name, instructions: try patched(linked), license: linked.license)
        image.attachType = attachType
        image.supportsFrags = supportsFrags
        image.types = types
        image.functions = linked.functions
        image.lines = linked.lines
        if linked.modules.isEmpty { return try Program.load(image).take() }
        return try load(image, modules: linked.modules).take()
    }

    /// Opens the type information of the modules for the time of the load.
    private func load(
        _ image: ProgramImage, modules: [PreparedProgram.KernelModule]
    ) throws(BPFError) -> Program.Loaded {
        var opened: [DescriptorBox] = []
        for module in modules { opened.append(DescriptorBox(try KernelBTF.open(module))) }
        var image = image
        image.moduleDescriptors = [0] + opened.map { $0.descriptor.rawValue }
        for place in image.instructions.indices.dropLast() {
            guard image.instructions[place].wideKind == .btfID else { continue }
            let module = Int(image.instructions[place + 1].immediate)
            guard module > 0, opened.indices.contains(module - 1) else { continue }
            image.instructions[place + 1].immediate = opened[module - 1].descriptor.rawValue
        }
        let loaded = try Program.load(image)
        withExtendedLifetime(opened) {}
        return loaded
    }

    /// The instructions with the descriptors of the maps, which are valid as long as the pool.
    private func patched(_ linked: LinkedProgram) throws(BPFError) -> [Instruction] {
        var descriptors: [Int32] = []
        for id in linked.mapIDs { descriptors.append(try maps.handle(id).map.descriptor.rawValue) }
        var instructions = linked.instructions
        for place in instructions.indices {
            let kind: WideKind
            switch instructions[place].wideKind {
            case .mapIndex?: kind = .mapDescriptor
            case .mapIndexValue?: kind = .mapValue
            default: continue
            }
            let map = Int(instructions[place].immediate)
            guard descriptors.indices.contains(map) else { continue }
            instructions[place].immediate = descriptors[map]
            instructions[place].source = Register(rawValue: kind.marker)
        }
        return instructions
    }

    private final class DescriptorBox {
        let descriptor: Descriptor
        init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
    }
}

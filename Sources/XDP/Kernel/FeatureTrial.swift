// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import Netlink
import SystemPackage

/// Finds out whether a feature is there, by doing the smallest thing that needs it.
enum FeatureTrial {
    static func support(_ feature: KernelFeature) -> Support {
        switch feature.group {
        case .instructions where feature == .callbacks: callbacks()
        case .instructions: loads(instructions(of: feature))
        case .programTypes: programType(feature)
        case .loading: loading(feature)
        case .running: running(feature)
        }
    }

    /// Why a feature is not there, where that can be said.
    static func note(_ feature: KernelFeature) -> String? {
        switch feature {
        case .extensions, .functionTracing, .typedTracepoints:
            if !KernelTypes.isThere { return "the kernel has no type information (CONFIG_DEBUG_INFO_BTF)" }
            if case .refused(.notPermitted, let log) = KernelTrial.load(request(feature)), log.isEmpty {
                return "this kernel forbids it, whatever the capabilities"
            }
            return nil
        case .securityModule:
            return securityModules().map { "the security modules in force are \($0)" }
        case .machineCode: return "net.core.bpf_jit_enable is 0"
        default: return nil
        }
    }

    // MARK: Instructions

    /// A program that needs the instructions and nothing else.
    private static func instructions(of feature: KernelFeature) -> [Instruction] {
        let end: [Instruction] = [.move(.r0, 2), .exit]
        let slot: [Instruction] = [.storeImmediate(.doubleWord, 0, to: .framePointer, offset: -8)]
        switch feature {
        case .instructionsV2: return [.move(.r1, 1), .jump(.less, .r1, 2, 0)] + end
        case .instructionsV3: return [.move(.r1, 1), .jump32(.equal, .r1, 2, 0)] + end
        case .atomics:
            return slot
                + [.move(.r1, 1), .atomic(.fetchAdd, .doubleWord, .r1, to: .framePointer, offset: -8)] + end
        case .instructionsV4:
            return slot + [
                .loadSigned(.byte, .r1, from: .framePointer, offset: -8), .moveSigned(.r1, .r1, bits: 8),
                .byteSwap(.r1, bits: 64), .move(.r2, 3), signedDivision, .longJump(0),
            ] + end
        case .longJumps:
            return [.move(.r0, 1), .jump(.equal, .r1, 0, 1), .longJump(1), .move(.r0, 3)] + end
        case .mayGoto: return [.move(.r0, 2), .mayGoto(1), .jump(-2), .exit]
        case .orderedAtomics:
            let load = Instruction(
                Opcode(.stx, .doubleWord, .atomic), destination: .r1, source: .framePointer, offset: -8,
                immediate: AtomicOperation.loadAcquire.rawValue)
            return slot + [load] + end
        default: return end
        }
    }

    /// `r1 s/= r2`: a division with the offset 1.
    private static let signedDivision: Instruction = {
        var division = Instruction.alu64(.divide, .r1, .r2)
        division.offset = 1
        return division
    }()

    private static func loads(_ instructions: [Instruction], flags: UInt32 = 0) -> Support {
        var request = KernelTrial.ProgramRequest(instructions)
        request.flags = flags
        guard case .refused(let errno, let log) = KernelTrial.load(request) else { return .supported }
        return log.isEmpty ? TrialBaseline.support(refusedWith: errno) : .unsupported
    }

    /// A function whose address is taken has to have a record.
    private static func callbacks() -> Support {
        var image = ProgramImage(
            name: "xdpctl_probe",
            instructions: Instruction.loadFunction(.r1, relative: 3)
                + [.move(.r0, 2), .exit, .move(.r0, 0), .exit],
            license: "GPL")
        image.functions = [
            DebugInformation.Function(instruction: 0, name: "outer"),
            DebugInformation.Function(instruction: 4, name: "callback"),
        ]
        return withProgram(image) { _ in .supported }
    }

    // MARK: Program types

    private static func request(_ feature: KernelFeature) -> KernelTrial.ProgramRequest {
        var request = KernelTrial.ProgramRequest([.move(.r0, 0), .exit])
        request.attachType = 0
        // Of `enum bpf_prog_type` and `enum bpf_attach_type` (linux/bpf.h). Type 1 of the kernel is no function,
        // so those that are tied to one are refused, but only where they are known.
        switch feature {
        case .extensions: (request.type, request.attachBTFID) = (28, 1)
        case .functionTracing: (request.type, request.attachType, request.attachBTFID) = (26, 24, 1)
        case .typedTracepoints: (request.type, request.attachType, request.attachBTFID) = (26, 23, 1)
        case .rawTracepoints: request.type = 17
        default: request.type = 3
        }
        return request
    }

    private static func programType(_ feature: KernelFeature) -> Support {
        if feature == .securityModule {
            guard let modules = securityModules() else {
                return .unknown("/sys/kernel/security/lsm cannot be read")
            }
            return modules.split(separator: ",").contains("bpf") ? .supported : .unsupported
        }
        let isTied = [.extensions, .functionTracing, .typedTracepoints].contains(feature)
        if isTied, !KernelTypes.isThere { return .unsupported }
        guard case .refused(let errno, let log) = KernelTrial.load(request(feature)) else {
            return .supported
        }
        if isTied, !log.isEmpty || errno == .invalidArgument { return .supported }
        return TrialBaseline.support(
            refusedWith: errno, needing: [.bpf, .networkAdministration, .performanceMonitoring])
    }

    private static func securityModules() -> String? {
        let bytes = SmallFile.bytes(of: "/sys/kernel/security/lsm", limit: 4096)
        guard !bytes.isEmpty else { return nil }
        return String(decoding: bytes.filter { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    // MARK: Loading

    private static func loading(_ feature: KernelFeature) -> Support {
        switch feature {
        case .typeInformation: KernelTypes.isThere ? .supported : .unsupported
        // BPF_F_XDP_HAS_FRAGS
        case .frags: loads([.move(.r0, 2), .exit], flags: 1 << 5)
        // BPF_F_XDP_DEV_BOUND_ONLY
        case .deviceBound: loads([.move(.r0, 2), .exit], flags: 1 << 6)
        case .kernelFunctions: kernelFunctions()
        case .tokens: tokens()
        case .tailCallsInFunctions: tailCallsInFunctions()
        default:
            withProgram(image(for: feature)) { program throws(BPFError) in
                try check(feature, program)
            }
        }
    }

    private static func image(for feature: KernelFeature) -> ProgramImage {
        var image = ProgramImage.passing("xdpctl_probe")
        if feature == .fineFrames {
            // Two frames that fit only where each is rounded up to 16 bytes: 464 + 48 of 512, against 480 + 64.
            image.instructions = [
                .storeImmediate(.doubleWord, 0, to: .framePointer, offset: -464),
                .call(relative: 1), .exit,
                .storeImmediate(.doubleWord, 0, to: .framePointer, offset: -48),
                .move(.r0, 2), .exit,
            ]
        }
        return image
    }

    private static func check(_ feature: KernelFeature, _ program: borrowing Program) throws(BPFError)
        -> Support
    {
        switch feature {
        case .machineCode: return try program.information().machineCodeSize > 0 ? .supported : .unsupported
        case .boundMaps:
            let map = try BPFMap(
                MapDefinition(
                    name: "xdpctl_probe", type: .array, keySize: 4, valueSize: 4, maximumEntries: 1))
            try program.bind(map)
            return .supported
        case .testRuns:
            _ = try program.testRun([UInt8](repeating: 0, count: 60))
            return .supported
        case .testRunsWithContext:
            _ = try program.testRun([UInt8](repeating: 0, count: 60), metadata: [])
            return .supported
        default: return .supported
        }
    }

    /// Loads a program and looks what can be done with it.
    private static func withProgram(
        _ image: ProgramImage, _ body: (borrowing Program) throws(BPFError) -> Support
    ) -> Support {
        do throws(BPFError) {
            return try body(try Program.load(image).take())
        } catch {
            if let log = error.verifierLog, !log.text.isEmpty { return .unsupported }
            return TrialBaseline.support(refusedWith: error.errno ?? .invalidArgument)
        }
    }

    /// Whether the verifier looks at which function is called: where it knows no such calls it complains of their
    /// form.
    private static func kernelFunctions() -> Support {
        guard KernelTypes.isThere else { return .unsupported }
        // A type that is no function, so that the call is refused everywhere.
        let answer = KernelTrial.load(
            KernelTrial.ProgramRequest([.call(kernelFunction: 1), .move(.r0, 2), .exit]))
        guard case .refused(let errno, let log) = answer else { return .supported }
        if log.contains("is not a function") { return .supported }
        return log.isEmpty ? TrialBaseline.support(refusedWith: errno) : .unsupported
    }

    private static func tailCallsInFunctions() -> Support {
        do throws(BPFError) {
            let array = try BPFMap(BPFMap.programArray("xdpctl_probe", places: 1))
            var image = ProgramImage(
                name: "xdpctl_probe",
                instructions: [.call(relative: 1), .exit]
                    + Instruction.loadMap(.r2, descriptor: array.descriptor.rawValue)
                    + [.move(.r3, 0), .call(helper: 12), .move(.r0, 2), .exit],
                license: "GPL")
            image.functions = [
                DebugInformation.Function(instruction: 0, name: "outer"),
                DebugInformation.Function(instruction: 2, name: "inner"),
            ]
            let support = withProgram(image) { _ in .supported }
            withExtendedLifetime(array) {}
            return support
        } catch {
            return TrialBaseline.support(refusedWith: error.errno ?? .invalidArgument)
        }
    }

    private static func tokens() -> Support {
        guard case .refused(let errno, _) = KernelTrial.createToken() else { return .supported }
        return errno == .badFileDescriptor ? .supported : TrialBaseline.support(refusedWith: errno)
    }

    // MARK: Running

    private static func running(_ feature: KernelFeature) -> Support {
        switch feature {
        case .link: return link()
        case .netdevFamily: return netdevFamily()
        case .sockets:
            guard case .refused(let errno, _) = KernelTrial.openXDPSocket() else { return .supported }
            // Families that the kernel does not have are refused with EAFNOSUPPORT.
            return errno == .notPermitted ? .unknown("this process lacks CAP_NET_RAW") : .unsupported
        case .batches:
            guard case .refused(let errno, _) = KernelTrial.readBatch() else { return .supported }
            return TrialBaseline.support(refusedWith: errno)
        case .liveFrames:
            guard case .refused(let errno, _) = KernelTrial.runLiveFrames() else { return .unsupported }
            return errno == .argListTooLong ? .supported : TrialBaseline.support(refusedWith: errno)
        default:
            return withProgram(image(for: feature)) { program throws(BPFError) in
                try check(feature, program)
            }
        }
    }

    /// Attaches to the loopback interface of a network namespace that is made for it and gone at once.
    private static func link() -> Support {
        do throws(NetlinkError) {
            let namespace = try NetworkNamespace.makePrivate()
            let result: Result<Support, NetlinkError> = try namespace.result { () throws(NetlinkError) in
                withProgram(image(for: .link)) { program throws(BPFError) in
                    do throws(Errno) {
                        // The first interface of every namespace.
                        let link = try XDPLink(attaching: program, toInterface: 1, mode: .generic)
                        try link.update(to: program, expecting: program)
                        return .supported
                    } catch {
                        return TrialBaseline.support(refusedWith: error)
                    }
                }
            }
            return (try? result.get()) ?? .unknown("the trial failed")
        } catch {
            return .unknown("no network namespace can be made for the trial: \(error.errno.description)")
        }
    }

    private static func netdevFamily() -> Support {
        do throws(NetlinkError) {
            var netlink = try GenericNetlink()
            _ = try netlink.family(named: "netdev")
            return .supported
        } catch {
            return error.errno == .noSuchFileOrDirectory ? .unsupported : .unknown(error.description)
        }
    }
}

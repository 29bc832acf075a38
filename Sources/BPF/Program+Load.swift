// SPDX-License-Identifier: Apache-2.0
import Bytecode
import CBPF
import SystemPackage

extension Program {
    /// A program that the verifier took, with what it said of its work.
    public struct Loaded: ~Copyable, Sendable {
        public let program: Program
        /// nil where the kernel's closing lines could not be read.
        public let statistics: VerifierStatistics?

        /// Gives up the statistics.
        public consuming func take() -> Program { program }
    }

    /// Asks the verifier, and loads the program if it agrees.
    ///
    /// Needs CAP_BPF and CAP_NET_ADMIN, and CAP_PERFMON for programs that calculate with pointers. The
    /// first try asks for the closing statistics only; if it fails the second one asks for the whole log,
    /// which the error carries.
    public static func load(_ image: ProgramImage) throws(BPFError) -> Loaded {
        let input = try LoadInput(image)
        var failure = Errno.noSpace
        // Statistics that do not fit are no reason to refuse a program.
        for size in [16 << 10, 1 << 20] where failure == .noSpace {
            let log = CallMemory(zeros: size)
            do throws(Errno) {
                let descriptor = try input.load(level: 4, log: log, size: size)
                let program = Program(owning: Descriptor(owning: descriptor))
                return Loaded(program: program, statistics: VerifierStatistics(parsing: log.text()))
            } catch {
                failure = error
            }
        }
        throw refusal(of: image, failure, wholeLog(of: input))
    }

    /// The kernel keeps the end of a log that is too long for the buffer only since 6.4; older ones fail
    /// with ENOSPC and keep the beginning, so the buffer grows until it fits.
    private static func wholeLog(of input: borrowing LoadInput) -> VerifierLog {
        var size = 1 << 20
        while true {
            let log = CallMemory(zeros: size)
            do throws(Errno) {
                // Refused a moment ago and taken now: the caller reports the first answer.
                _ = Descriptor(owning: try input.load(level: 1, log: log, size: size))
                return VerifierLog("")
            } catch {
                guard error == .noSpace, size < 64 << 20 else { return VerifierLog(log.text()) }
                size *= 4
            }
        }
    }

    private static func refusal(
        of image: ProgramImage, _ errno: Errno, _ log: VerifierLog
    ) -> BPFError {
        var remedy: String?
        if errno == .notPermitted || errno == .permissionDenied {
            remedy = Capability.remedy(for: [.bpf, .networkAdministration, .performanceMonitoring])
        }
        return BPFError(
            "load the program", on: image.name, errno: errno, kernelMessage: log.reason, remedy: remedy,
            verifierLog: log)
    }

}

/// What one BPF_PROG_LOAD reads, at fixed addresses, for as many tries as it takes.
private struct LoadInput: ~Copyable {
    private let instructions: CallMemory
    private let license: CallMemory
    private let functions: CallMemory
    private let lines: CallMemory
    private let modules: CallMemory
    private let btf: Descriptor?
    private let ownTypes: BTFHandle?
    private var attributes = bpf_attr()

    /// `BPF_F_XDP_HAS_FRAGS` (linux/bpf.h, 5.18).
    private static let flagFrags: UInt32 = 1 << 5

    init(_ image: ProgramImage) throws(BPFError) {
        let information =
            image.functions.isEmpty || image.types != nil
            ? nil : DebugInformation(functions: image.functions, lines: image.lines)
        instructions = CallMemory(Instruction.encode(image.instructions))
        license = CallMemory(image.license)
        functions = CallMemory(image.types?.functionRecords ?? information?.functionRecords ?? [])
        lines = CallMemory(image.types?.lineRecords ?? information?.lineRecords ?? [])
        modules = CallMemory(image.moduleDescriptors.flatMap { withUnsafeBytes(of: $0) { Array($0) } })
        attributes.prog_type = BPF_PROG_TYPE_XDP.rawValue
        attributes.insn_cnt = UInt32(image.instructions.count)
        attributes.insns = instructions.address
        attributes.license = license.address
        attributes.prog_flags = image.supportsFrags ? Self.flagFrags : 0
        attributes.prog_ifindex = image.offloadInterface
        attributes.expected_attach_type = image.attachType.rawValue
        if !image.moduleDescriptors.isEmpty { attributes.fd_array = modules.address }
        withUnsafeMutableBytes(of: &attributes.prog_name) { ObjectName.write(image.name, to: $0) }
        if let types = image.types {
            let handle = try BTFHandle(id: types.btfID)
            attributes.prog_btf_fd = UInt32(bitPattern: handle.descriptor.rawValue)
            ownTypes = handle
            btf = nil
        } else if let information {
            let descriptor = try Self.loadBTF(information.btf)
            attributes.prog_btf_fd = UInt32(bitPattern: descriptor.rawValue)
            btf = consume descriptor
            ownTypes = nil
        } else {
            btf = nil
            ownTypes = nil
            return
        }
        attributes.func_info_rec_size = DebugInformation.functionRecordSize
        attributes.func_info = functions.address
        attributes.func_info_cnt = UInt32(
            image.types.map { $0.functionRecords.count / 8 } ?? image.functions.count)
        attributes.line_info_rec_size = DebugInformation.lineRecordSize
        attributes.line_info = lines.address
        attributes.line_info_cnt = UInt32(image.types.map { $0.lineRecords.count / 16 } ?? image.lines.count)
    }

    private static func loadBTF(_ bytes: [UInt8]) throws(BPFError) -> Descriptor {
        let memory = CallMemory(bytes)
        var attributes = bpf_attr()
        attributes.btf = memory.address
        attributes.btf_size = UInt32(bytes.count)
        do throws(Errno) {
            let descriptor = try MemoryLock.retrying { () throws(Errno) in
                try KernelDoor.descriptor(.btfLoad, &attributes)
            }
            withExtendedLifetime(memory) {}
            return descriptor
        } catch {
            throw BPFError(
                "load the chain's function names", errno: error,
                remedy: error == .notPermitted ? Capability.remedy(for: [.bpf]) : nil)
        }
    }

    /// One load; a verification that a signal broke off (EAGAIN) is repeated a few times.
    borrowing func load(level: UInt32, log: borrowing CallMemory, size: Int) throws(Errno) -> Int32 {
        var attributes = self.attributes
        attributes.log_level = level
        attributes.log_size = UInt32(size)
        attributes.log_buf = log.address
        for _ in 0..<4 {
            do throws(Errno) {
                return try loadRaisingLimit(&attributes)
            } catch {
                if error != .resourceTemporarilyUnavailable { throw error }
            }
        }
        return try loadRaisingLimit(&attributes)
    }

    private borrowing func loadRaisingLimit(_ attributes: inout bpf_attr) throws(Errno) -> Int32 {
        do throws(Errno) {
            return try KernelDoor.bpf(.programLoad, &attributes)
        } catch {
            guard error == .notPermitted, MemoryLock.raise() else { throw error }
            return try KernelDoor.bpf(.programLoad, &attributes)
        }
    }
}

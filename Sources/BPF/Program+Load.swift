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

    /// `BPF_F_XDP_HAS_FRAGS` (linux/bpf.h, 5.18).
    private static let flagFrags: UInt32 = 1 << 5

    /// Asks the verifier, and loads the program if it agrees.
    ///
    /// Needs CAP_BPF and CAP_NET_ADMIN, and CAP_PERFMON for programs that calculate with pointers. The
    /// first try asks for the closing statistics only; if it fails the second one asks for the whole log,
    /// which the error carries.
    public static func load(_ image: ProgramImage) throws(BPFError) -> Loaded {
        var btf: Descriptor?
        var information: DebugInformation?
        if !image.functions.isEmpty {
            let made = DebugInformation(functions: image.functions, lines: image.lines)
            btf = try loadBTF(made.btf)
            information = made
        }
        let statisticsLevel: UInt32 = 4
        var log = [UInt8](repeating: 0, count: 16 << 10)
        var failure: Errno
        do throws(Errno) {
            let btfNumber = btf.descriptorNumber
            let descriptor = try attempt(
                image, information, btf: btfNumber, level: statisticsLevel, log: &log)
            let program = Program(owning: Descriptor(owning: descriptor))
            return Loaded(program: program, statistics: VerifierStatistics(parsing: text(log)))
        } catch {
            failure = error
        }
        if failure == .noSpace {
            // The statistics did not fit, which is no reason to refuse the program.
            log = [UInt8](repeating: 0, count: 1 << 20)
            do throws(Errno) {
                let btfNumber = btf.descriptorNumber
                let descriptor = try attempt(
                    image, information, btf: btfNumber, level: statisticsLevel, log: &log)
                let program = Program(owning: Descriptor(owning: descriptor))
                return Loaded(program: program, statistics: VerifierStatistics(parsing: text(log)))
            } catch {
                failure = error
            }
        }
        let short = VerifierLog(text(log))
        let whole = wholeLog(of: image, information, btf: btf.descriptorNumber)
        throw refusal(of: image, failure, whole.text.isEmpty ? short : whole)
    }

    /// The kernel keeps the end of a log that is too long for the buffer only since 6.4; older ones fail
    /// with ENOSPC and keep the beginning, so the buffer grows until it fits.
    private static func wholeLog(
        of image: ProgramImage, _ information: DebugInformation?, btf: Int32
    ) -> VerifierLog {
        var size = 1 << 20
        while true {
            var log = [UInt8](repeating: 0, count: size)
            do throws(Errno) {
                let descriptor = try attempt(image, information, btf: btf, level: 1, log: &log)
                // Refused a moment ago and taken now: the caller reports the first answer.
                _ = Descriptor(owning: descriptor)
                return VerifierLog("")
            } catch {
                if error == .noSpace, size < 64 << 20 {
                    size *= 4
                    continue
                }
                return VerifierLog(text(log))
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

    private static func text(_ log: [UInt8]) -> String {
        String(decoding: log.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func loadBTF(_ bytes: [UInt8]) throws(BPFError) -> Descriptor {
        do throws(Errno) {
            return try MemoryLock.retrying { () throws(Errno) in
                let descriptor = try bytes.withUnsafeBufferPointer { buffer throws(Errno) in
                    var attributes = bpf_attr()
                    attributes.btf = address(buffer.baseAddress)
                    attributes.btf_size = UInt32(buffer.count)
                    return try KernelDoor.bpf(.btfLoad, &attributes)
                }
                return Descriptor(owning: descriptor)
            }
        } catch {
            throw BPFError(
                "load the chain's function names", errno: error,
                remedy: error == .notPermitted ? Capability.remedy(for: [.bpf]) : nil)
        }
    }

    /// One BPF_PROG_LOAD; a verification that a signal broke off (EAGAIN) is repeated.
    private static func attempt(
        _ image: ProgramImage, _ information: DebugInformation?, btf: Int32, level: UInt32,
        log: inout [UInt8]
    ) throws(Errno) -> Int32 {
        for _ in 0..<4 {
            do throws(Errno) {
                return try attemptOnce(image, information, btf: btf, level: level, log: &log)
            } catch {
                if error != .resourceTemporarilyUnavailable { throw error }
            }
        }
        return try attemptOnce(image, information, btf: btf, level: level, log: &log)
    }

    private static func attemptOnce(
        _ image: ProgramImage, _ information: DebugInformation?, btf: Int32, level: UInt32,
        log: inout [UInt8]
    ) throws(Errno) -> Int32 {
        let instructions = Instruction.encode(image.instructions)
        let license = Array(image.license.utf8) + [0]
        let functions = information?.functionRecords ?? []
        let lines = information?.lineRecords ?? []
        return try instructions.withUnsafeBufferPointer { code throws(Errno) in
            try license.withUnsafeBufferPointer { license throws(Errno) in
                try functions.withUnsafeBufferPointer { functions throws(Errno) in
                    try lines.withUnsafeBufferPointer { lines throws(Errno) in
                        try image.moduleDescriptors.withUnsafeBufferPointer { modules throws(Errno) in
                            try log.withUnsafeMutableBufferPointer { log throws(Errno) in
                                var attributes = bpf_attr()
                                attributes.prog_type = BPF_PROG_TYPE_XDP.rawValue
                                attributes.insn_cnt = UInt32(image.instructions.count)
                                attributes.insns = address(code.baseAddress)
                                attributes.license = address(license.baseAddress)
                                attributes.log_level = level
                                attributes.log_size = UInt32(log.count)
                                attributes.log_buf = address(UnsafeRawPointer(log.baseAddress))
                                attributes.prog_flags = image.supportsFrags ? flagFrags : 0
                                attributes.prog_ifindex = image.offloadInterface
                                attributes.expected_attach_type = image.attachType.rawValue
                                withUnsafeMutableBytes(of: &attributes.prog_name) {
                                    ObjectName.write(image.name, to: $0)
                                }
                                if btf >= 0 {
                                    attributes.prog_btf_fd = UInt32(bitPattern: btf)
                                    attributes.func_info_rec_size = DebugInformation.functionRecordSize
                                    attributes.func_info = address(functions.baseAddress)
                                    attributes.func_info_cnt = UInt32(functions.count / 8)
                                    attributes.line_info_rec_size = DebugInformation.lineRecordSize
                                    attributes.line_info = address(lines.baseAddress)
                                    attributes.line_info_cnt = UInt32(lines.count / 16)
                                }
                                if !modules.isEmpty { attributes.fd_array = address(modules.baseAddress) }
                                return try loadRaisingLimit(&attributes)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func loadRaisingLimit(_ attributes: inout bpf_attr) throws(Errno) -> Int32 {
        do throws(Errno) {
            return try KernelDoor.bpf(.programLoad, &attributes)
        } catch {
            guard error == .notPermitted, MemoryLock.raise() else { throw error }
            return try KernelDoor.bpf(.programLoad, &attributes)
        }
    }
}

extension Optional where Wrapped == Descriptor {
    /// The number, or -1 for none.
    fileprivate var descriptorNumber: Int32 {
        borrowing get {
            switch self {
            case .some(let descriptor): descriptor.rawValue
            case .none: -1
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
import Bytecode
import CBPF
import SystemPackage

/// A program of ours on one of the kernel's tracepoints, with the kernel's own types for its arguments (`tp_btf`, Linux 5.5).
///
/// It needs no tracefs, which is often not mounted, and not in `ip netns exec`. It runs until its owner ends: it goes with its
/// last descriptor, so nothing stays behind.
public struct TracepointProgram: ~Copyable, Sendable {
    private let program: Descriptor
    /// What keeps it attached.
    private let link: Descriptor

    /// BPF_PROG_TYPE_TRACING and BPF_TRACE_RAW_TP (linux/bpf.h)
    private static let tracing: UInt32 = 26
    private static let rawTracepoint: UInt32 = 23

    /// Loads a program and attaches it, from when on it runs.
    ///
    /// Needs CAP_BPF and CAP_PERFMON. The program's context is an array of the tracepoint's arguments, 8 bytes each; its licence
    /// is "Dual BSD/GPL", so it may call what is for GPL programs only.
    public init(
        _ name: String, on tracepoint: KernelTypes.Tracepoint, instructions: [Instruction]
    ) throws(BPFError) {
        let program = try Self.load(name, tracepoint, instructions)
        let link = try Self.attach(program, to: tracepoint)
        self.program = program
        self.link = link
    }

    private static func attach(
        _ program: borrowing Descriptor, to tracepoint: KernelTypes.Tracepoint
    ) throws(BPFError) -> Descriptor {
        var attributes = bpf_attr()
        attributes.raw_tracepoint.prog_fd = UInt32(bitPattern: program.rawValue)
        do throws(Errno) {
            return try KernelDoor.descriptor(.rawTracepointOpen, &attributes)
        } catch {
            throw failure("attach a program", to: tracepoint, error)
        }
    }

    private static func load(
        _ name: String, _ tracepoint: KernelTypes.Tracepoint, _ instructions: [Instruction]
    ) throws(BPFError) -> Descriptor {
        let code = CallMemory(Instruction.encode(instructions))
        let license = CallMemory("Dual BSD/GPL")
        let log = CallMemory(zeros: 1 << 20)
        var attributes = bpf_attr()
        attributes.prog_type = tracing
        attributes.expected_attach_type = rawTracepoint
        attributes.attach_btf_id = tracepoint.id
        attributes.insn_cnt = UInt32(instructions.count)
        attributes.insns = code.address
        attributes.license = license.address
        withUnsafeMutableBytes(of: &attributes.prog_name) { ObjectName.write(name, to: $0) }
        do throws(Errno) {
            let descriptor = try MemoryLock.retrying { () throws(Errno) in
                try open(attributes)
            }
            withExtendedLifetime(code) {}
            withExtendedLifetime(license) {}
            return descriptor
        } catch {
            guard error != .notPermitted else { throw failure("load a program", to: tracepoint, error) }
            // Once more for what the verifier has to say.
            attributes.log_level = 1
            attributes.log_size = 1 << 20
            attributes.log_buf = log.address
            if let taken = try? open(attributes) { return taken }
            let text = VerifierLog(log.text())
            withExtendedLifetime(code) {}
            withExtendedLifetime(license) {}
            throw failure("load a program", to: tracepoint, error, text)
        }
    }

    /// A verification that a signal broke off is repeated a few times.
    private static func open(_ attributes: bpf_attr) throws(Errno) -> Descriptor {
        var attributes = attributes
        for _ in 0..<4 {
            do throws(Errno) {
                return try KernelDoor.descriptor(.programLoad, &attributes)
            } catch {
                if error != .resourceTemporarilyUnavailable { throw error }
            }
        }
        return try KernelDoor.descriptor(.programLoad, &attributes)
    }

    private static func failure(
        _ operation: String, to tracepoint: KernelTypes.Tracepoint, _ errno: Errno, _ log: VerifierLog? = nil
    ) -> BPFError {
        BPFError(
            operation, on: "tracepoint \(tracepoint.name)", errno: errno, kernelMessage: log?.reason,
            remedy: errno == .notPermitted || errno == .permissionDenied
                ? Capability.remedy(for: [.bpf, .performanceMonitoring]) : nil,
            verifierLog: log)
    }
}

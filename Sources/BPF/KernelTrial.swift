// SPDX-License-Identifier: Apache-2.0
import Bytecode
import CBPF
import Glibc
import SystemPackage

/// Requests whose answers show what this kernel can. What they make is closed at once, so nothing stays.
public enum KernelTrial {
    /// What the kernel answered.
    public enum Answer: Sendable, Hashable {
        case taken
        /// The error number, and what the verifier printed.
        case refused(Errno, log: String)

        public var isTaken: Bool { self == .taken }

        /// What the verifier printed; empty where it took the request or was not asked.
        public var log: String {
            if case .refused(_, let log) = self { return log }
            return ""
        }
    }

    /// A program to be loaded.
    public struct ProgramRequest: Sendable {
        /// `enum bpf_prog_type`.
        public var type = UInt32(BPF_PROG_TYPE_XDP.rawValue)
        /// `enum bpf_attach_type`.
        public var attachType = AttachType.xdp.rawValue
        /// `BPF_F_…` of program loading.
        public var flags: UInt32 = 0
        /// The kernel's type id of what it shall be attached to.
        public var attachBTFID: UInt32 = 0
        public var instructions: [Instruction] = [.move(.r0, 2), .exit]
        /// Types of the module whose function it calls, at place 1.
        public var module: PreparedProgram.KernelModule?

        public init() {}

        /// An XDP program.
        public init(_ instructions: [Instruction]) {
            self.instructions = instructions
        }
    }

    /// Has the verifier look at a program.
    public static func load(_ request: ProgramRequest) -> Answer {
        var attributes = bpf_attr()
        let code = CallMemory(Instruction.encode(request.instructions))
        let license = CallMemory("GPL")
        let log = CallMemory(zeros: 16 << 10)
        attributes.prog_type = request.type
        attributes.expected_attach_type = request.attachType
        attributes.prog_flags = request.flags
        attributes.attach_btf_id = request.attachBTFID
        attributes.insn_cnt = UInt32(request.instructions.count)
        attributes.insns = code.address
        attributes.license = license.address
        attributes.log_level = 1
        attributes.log_size = 16 << 10
        attributes.log_buf = log.address
        withUnsafeMutableBytes(of: &attributes.prog_name) { ObjectName.write("xdpctl_probe", to: $0) }
        let answer: Answer
        if let module = request.module {
            guard let types = try? KernelBTF.open(module) else {
                return .refused(.noSuchFileOrDirectory, log: "")
            }
            // Place 0 is the kernel itself.
            let array = CallMemory([0, types.rawValue].flatMap { withUnsafeBytes(of: $0) { Array($0) } })
            attributes.fd_array = array.address
            answer = send(.programLoad, &attributes, log)
            withExtendedLifetime(types) {}
            withExtendedLifetime(array) {}
        } else {
            answer = send(.programLoad, &attributes, log)
        }
        withExtendedLifetime(code) {}
        withExtendedLifetime(license) {}
        return answer
    }

    /// Makes a map, with a map in it where its type asks for one.
    public static func create(_ definition: MapDefinition) -> Answer {
        var attributes = bpf_attr()
        attributes.map_type = definition.type.rawValue
        attributes.key_size = definition.keySize
        attributes.value_size = definition.valueSize
        attributes.max_entries = definition.maximumEntries
        attributes.map_flags = definition.flags
        guard [.arrayOfMaps, .hashOfMaps].contains(definition.type) else {
            return send(.mapCreate, &attributes, CallMemory(zeros: 0))
        }
        do throws(BPFError) {
            let inner = try BPFMap(
                MapDefinition(name: "", type: .array, keySize: 4, valueSize: 4, maximumEntries: 1))
            attributes.inner_map_fd = UInt32(bitPattern: inner.descriptor.rawValue)
            let answer = send(.mapCreate, &attributes, CallMemory(zeros: 0))
            withExtendedLifetime(inner) {}
            return answer
        } catch {
            return .refused(error.errno ?? .invalidArgument, log: "")
        }
    }

    /// Reads all of an empty map in one call (BPF_MAP_LOOKUP_BATCH).
    public static func readBatch() -> Answer {
        do throws(BPFError) {
            let map = try BPFMap(
                MapDefinition(name: "xdpctl_probe", type: .hash, keySize: 4, valueSize: 4, maximumEntries: 1))
            let cursor = CallMemory(zeros: 8)
            let keys = CallMemory(zeros: 8)
            let values = CallMemory(zeros: 8)
            var attributes = bpf_attr()
            attributes.batch.out_batch = cursor.address
            attributes.batch.keys = keys.address
            attributes.batch.values = values.address
            attributes.batch.count = 1
            attributes.batch.map_fd = UInt32(bitPattern: map.descriptor.rawValue)
            let answer = send(.mapLookupBatch, &attributes, CallMemory(zeros: 0))
            withExtendedLifetime(keys) {}
            withExtendedLifetime(values) {}
            withExtendedLifetime(cursor) {}
            withExtendedLifetime(map) {}
            // The end of an empty map.
            if case .refused(.noSuchFileOrDirectory, _) = answer { return .taken }
            return answer
        } catch {
            return .refused(error.errno ?? .invalidArgument, log: "")
        }
    }

    /// Asks for a BPF token from a descriptor that is none: EBADF where there are tokens, EINVAL elsewhere.
    public static func createToken() -> Answer {
        var attributes = bpf_attr()
        withUnsafeMutableBytes(of: &attributes) { bytes in
            // struct { __u32 flags; __u32 bpffs_fd; } token_create (linux/bpf.h, 6.9)
            bytes.storeBytes(of: UInt32.max, toByteOffset: 4, as: UInt32.self)
        }
        return send(.tokenCreate, &attributes, CallMemory(zeros: 0))
    }

    /// Asks for a run on live frames (BPF_F_TEST_XDP_LIVE_FRAMES) in batches that are too large: E2BIG where there
    /// are such runs, EINVAL elsewhere. No frame is made.
    public static func runLiveFrames() -> Answer {
        do throws(BPFError) {
            let program = try Program.load(
                ProgramImage(name: "xdpctl_probe", instructions: [.move(.r0, 1), .exit], license: "GPL")
            ).take()
            let packet = CallMemory(zeros: 64)
            var attributes = bpf_attr()
            attributes.test.prog_fd = UInt32(bitPattern: program.descriptor.rawValue)
            attributes.test.data_in = packet.address
            attributes.test.data_size_in = 64
            attributes.test.`repeat` = 1
            attributes.test.flags = 1 << 1
            attributes.test.batch_size = 1 << 20
            let answer = send(.programTestRun, &attributes, CallMemory(zeros: 0))
            withExtendedLifetime(packet) {}
            withExtendedLifetime(program) {}
            return answer
        } catch {
            return .refused(error.errno ?? .invalidArgument, log: "")
        }
    }

    /// Opens a socket of AF_XDP.
    public static func openXDPSocket() -> Answer {
        // AF_XDP (linux/socket.h, 4.18)
        let number = socket(44, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return .refused(Errno(rawValue: errno), log: "") }
        close(number)
        return .taken
    }

    /// One request; a descriptor that it yields is closed. Raises the memory limit of old kernels once, and
    /// repeats what a signal broke off.
    private static func send(
        _ command: BPFCommand, _ attributes: inout bpf_attr, _ log: borrowing CallMemory
    ) -> Answer {
        var failure = Errno.resourceTemporarilyUnavailable
        for _ in 0..<4 {
            do throws(Errno) {
                let result = try KernelDoor.bpf(command, &attributes)
                if makesDescriptor(command) { _ = Descriptor(owning: result) }
                return .taken
            } catch {
                failure = error
            }
            let isLimit = failure == .notPermitted && MemoryLock.raise()
            guard isLimit || failure == .resourceTemporarilyUnavailable else { break }
        }
        return .refused(failure, log: log.text())
    }

    private static func makesDescriptor(_ command: BPFCommand) -> Bool {
        [.programLoad, .mapCreate, .tokenCreate].contains(command)
    }
}

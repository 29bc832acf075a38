// SPDX-License-Identifier: Apache-2.0
import CBPF
import Glibc
import Synchronization

/// libbpf's hook between relocation and load (`prog_prepare_load_fn`, libbpf 1.0): takes a copy of the
/// final instructions and their records, and has libbpf load a stub of two instructions instead, so that
/// a member is verified once, in its chain.
enum PrepareHook {
    /// What the hook shall do with a program.
    enum Order {
        /// Copy the instructions and load a stub.
        case capture
        /// Load the program as it is, with the flag of multi-buffer support set or cleared: a tail callee
        /// must agree with the chain in it, or the program array refuses one of them.
        case load(Kind)
        /// Both, for a member that stands in a program array of its own: whoever tail-calls it must not meet
        /// the stub.
        case captureAndLoad(Kind)
    }

    /// What a tail callee is loaded for, which has to be what its callers are loaded for.
    struct Kind {
        var hasFrags: Bool
        var attachType: AttachType
    }

    /// What the hook copied.
    struct Capture: Sendable {
        var instructions: [UInt8] = []
        var functionRecords: [UInt8] = []
        var functionRecordSize = 8
        var lineRecords: [UInt8] = []
        var lineRecordSize = 16
        var supportsFrags = false
        /// Whether the kernel took the object's BTF.
        var hasBTF = false
        /// The object's BTF, which libbpf closes with the object.
        var types: BTFHandle?
        /// Duplicates of the module BTF descriptors that the instructions name, by their original number.
        var moduleDescriptors: [Int32: Int32] = [:]
        /// The original numbers by their place in the descriptor array; place 0 is vmlinux.
        var descriptorArray: [Int32] = []
    }

    private struct State {
        var orders: [UInt: Order] = [:]
        var captures: [UInt: Capture] = [:]
        var threadsOpening: Set<UInt> = []
    }

    private static let state = Mutex(State())

    /// Registers the handlers once for the life of the process. Other users of libbpf in the process are
    /// not disturbed: a program without an order passes through the hook unchanged, and the handler for
    /// unknown section names only acts while a thread opens an object for us.
    private static let isRegistered: Bool = {
        let sections: [(String?, AttachType, hasFrags: Int)] = [
            ("xdp.frags/devmap", .deviceMap, 1), ("xdp/devmap", .deviceMap, 0),
            ("xdp.frags/cpumap", .cpuMap, 1), ("xdp/cpumap", .cpuMap, 0),
            ("xdp.frags+", .xdp, 1), ("xdp+", .xdp, 0), (nil, .xdp, 0),
        ]
        for (section, attachType, hasFrags) in sections {
            var options = libbpf_prog_handler_opts()
            options.sz = MemoryLayout<libbpf_prog_handler_opts>.size
            options.cookie = hasFrags
            options.prog_prepare_load_fn = prepare
            options.prog_setup_fn = section == nil ? setUpUnknownSection : nil
            let result = libbpf_register_prog_handler(
                section, BPF_PROG_TYPE_XDP, bpf_attach_type(rawValue: attachType.rawValue), &options)
            if result < 0 { return false }
        }
        return true
    }()

    /// Opens an object with the handlers in force.
    static func opening<Result>(_ body: () -> Result) -> Result? {
        guard isRegistered else { return nil }
        let thread = UInt(pthread_self())
        _ = state.withLock { $0.threadsOpening.insert(thread) }
        defer { _ = state.withLock { $0.threadsOpening.remove(thread) } }
        return body()
    }

    static func order(_ order: Order, for program: OpaquePointer) {
        let key = UInt(bitPattern: program)
        state.withLock { $0.orders[key] = order }
    }

    /// Takes what the hook copied of a program and forgets its order.
    static func take(_ program: OpaquePointer) -> Capture? {
        let key = UInt(bitPattern: program)
        return state.withLock {
            $0.orders[key] = nil
            return $0.captures.removeValue(forKey: key)
        }
    }

    /// Old objects name their sections as they like ("xdp_filter", "prog", "xdp-root"); they are taken for
    /// XDP here, and left untyped for everybody else.
    private static let setUpUnknownSection: libbpf_prog_setup_fn_t = { program, _ in
        let thread = UInt(pthread_self())
        let isOurs = PrepareHook.state.withLock { $0.threadsOpening.contains(thread) }
        if !isOurs { bpf_program__set_type(program, BPF_PROG_TYPE_UNSPEC) }
        return 0
    }

    /// `BPF_F_XDP_HAS_FRAGS` (linux/bpf.h, 5.18).
    private static let flagFrags: UInt32 = 1 << 5

    private static func loadAsCallee(
        _ options: UnsafeMutablePointer<bpf_prog_load_opts>, _ kind: Kind
    ) {
        if kind.hasFrags {
            options.pointee.prog_flags |= flagFrags
        } else {
            options.pointee.prog_flags &= ~flagFrags
        }
        options.pointee.expected_attach_type = bpf_attach_type(rawValue: kind.attachType.rawValue)
    }

    private static let prepare: libbpf_prog_prepare_load_fn_t = { program, options, cookie in
        guard let program, let options else { return -EINVAL }
        let key = UInt(bitPattern: program)
        let sectionHasFrags = cookie == 1
        switch PrepareHook.state.withLock({ $0.orders[key] }) {
        case nil:
            if sectionHasFrags { options.pointee.prog_flags |= flagFrags }
        case .load(let kind)?:
            PrepareHook.loadAsCallee(options, kind)
        case .captureAndLoad(let kind)?:
            let capture = PrepareHook.copy(
                program, options, hasFrags: sectionHasFrags || options.pointee.prog_flags & flagFrags != 0)
            PrepareHook.state.withLock { $0.captures[key] = capture }
            PrepareHook.loadAsCallee(options, kind)
        case .capture?:
            let hasFrags = sectionHasFrags || options.pointee.prog_flags & flagFrags != 0
            let capture = PrepareHook.copy(program, options, hasFrags: hasFrags)
            PrepareHook.state.withLock { $0.captures[key] = capture }
            options.pointee.func_info = nil
            options.pointee.func_info_cnt = 0
            options.pointee.line_info = nil
            options.pointee.line_info_cnt = 0
            options.pointee.prog_flags &= ~flagFrags
            options.pointee.expected_attach_type = bpf_attach_type(rawValue: AttachType.xdp.rawValue)
            // r0 = XDP_PASS; exit
            var stub = (bpf_insn(), bpf_insn())
            stub.0.code = 0xb7
            stub.0.imm = 2
            stub.1.code = 0x95
            return withUnsafeMutableBytes(of: &stub) {
                bpf_program__set_insns(
                    program, $0.baseAddress?.assumingMemoryBound(to: bpf_insn.self), 2)
            }
        }
        return 0
    }

    private static func copy(
        _ program: OpaquePointer, _ options: UnsafeMutablePointer<bpf_prog_load_opts>, hasFrags: Bool
    ) -> Capture {
        var capture = Capture()
        capture.supportsFrags = hasFrags
        let types = Int32(bitPattern: options.pointee.prog_btf_fd)
        capture.hasBTF = types > 0
        if types > 0 { capture.types = try? BTFHandle(copying: types) }
        let count = bpf_program__insn_cnt(program)
        guard let instructions = bpf_program__insns(program) else { return capture }
        capture.instructions = Array(UnsafeRawBufferPointer(start: instructions, count: count * 8))
        capture.functionRecordSize = Int(options.pointee.func_info_rec_size)
        capture.functionRecords = bytes(
            options.pointee.func_info, options.pointee.func_info_cnt, options.pointee.func_info_rec_size)
        capture.lineRecordSize = Int(options.pointee.line_info_rec_size)
        capture.lineRecords = bytes(
            options.pointee.line_info, options.pointee.line_info_cnt, options.pointee.line_info_rec_size)
        copyModules(instructions, count, options.pointee.fd_array, into: &capture)
        return capture
    }

    private static func bytes(_ pointer: UnsafeRawPointer?, _ count: UInt32, _ size: UInt32) -> [UInt8] {
        guard let pointer, count > 0 else { return [] }
        return Array(UnsafeRawBufferPointer(start: pointer, count: Int(count) * Int(size)))
    }

    /// libbpf closes its module BTF descriptors after the load, so the ones in use are duplicated.
    private static func copyModules(
        _ instructions: UnsafePointer<bpf_insn>, _ count: Int, _ array: UnsafePointer<Int32>?,
        into capture: inout Capture
    ) {
        var place = 0
        while place < count {
            let instruction = instructions[place]
            if instruction.code == 0x85, instruction.src_reg == 2, instruction.off > 0, let array {
                let index = Int(instruction.off)
                while capture.descriptorArray.count <= index { capture.descriptorArray.append(0) }
                capture.descriptorArray[index] = array[index]
                duplicate(array[index], into: &capture)
            } else if instruction.code == 0x18 {
                if instruction.src_reg == 3, place + 1 < count, instructions[place + 1].imm > 0 {
                    duplicate(instructions[place + 1].imm, into: &capture)
                }
                place += 1
            }
            place += 1
        }
    }

    private static func duplicate(_ descriptor: Int32, into capture: inout Capture) {
        guard capture.moduleDescriptors[descriptor] == nil else { return }
        let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        if copy >= 0 { capture.moduleDescriptors[descriptor] = copy }
    }
}

// SPDX-License-Identifier: Apache-2.0
import CPcap
import Glibc
import Synchronization

/// A filter expression of pcap, compiled by libpcap and run by its interpreter on Ethernet frames.
public final class PcapFilter {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private var program = pcap_bpf_program()
    /// The optimiser found out that the expression is true of no packet, which is an error to libpcap.
    private let rejectsAll: Bool

    /// libpcap's scanner keeps state that is not a handle's.
    private static let compiling = Mutex(())

    /// Compiles an expression.
    public init(_ expression: String, isOptimised: Bool) throws(Failure) {
        var program = pcap_bpf_program()
        let complaint: String? = Self.compiling.withLock { _ in
            guard let handle = pcap_open_dead(DLT_EN10MB, 65_535) else { return "no handle" }
            defer { pcap_close(handle) }
            let status = pcap_compile(handle, &program, expression, isOptimised ? 1 : 0, ~0)
            return status == 0 ? nil : String(cString: pcap_geterr(handle))
        }
        rejectsAll = complaint == "expression rejects all packets"
        if let complaint, !rejectsAll { throw Failure(description: "\(complaint): \(expression)") }
        self.program = program
    }

    private init(program: pcap_bpf_program) {
        self.program = program
        rejectsAll = false
    }

    deinit {
        pcap_freecode(&program)
    }

    /// Whether the expression is true of a frame of which these bytes are there.
    public func matches(_ bytes: [UInt8], length: Int? = nil) -> Bool {
        guard !rejectsAll else { return false }
        var header = pcap_pkthdr()
        header.caplen = UInt32(bytes.count)
        header.len = UInt32(length ?? bytes.count)
        return pcap_offline_filter(&program, &header, bytes) != 0
    }
}

extension PcapFilter {
    /// An instruction as libpcap has it.
    public struct Instruction: Hashable, Sendable {
        public var code: UInt16
        public var ifTrue: UInt8
        public var ifFalse: UInt8
        public var operand: UInt32

        public init(code: UInt16, ifTrue: UInt8, ifFalse: UInt8, operand: UInt32) {
            self.code = code
            self.ifTrue = ifTrue
            self.ifFalse = ifFalse
            self.operand = operand
        }
    }

    /// A program to be run by libpcap's interpreter as it is.
    public convenience init?(instructions: [Instruction]) {
        guard !instructions.isEmpty,
            let memory = malloc(instructions.count * MemoryLayout<pcap_bpf_insn>.stride)
        else { return nil }
        let first = memory.bindMemory(to: pcap_bpf_insn.self, capacity: instructions.count)
        for (index, each) in instructions.enumerated() {
            first[index] = pcap_bpf_insn(code: each.code, jt: each.ifTrue, jf: each.ifFalse, k: each.operand)
        }
        self.init(program: pcap_bpf_program(bf_len: UInt32(instructions.count), bf_insns: first))
    }

    public var instructions: [Instruction] {
        UnsafeBufferPointer(start: program.bf_insns, count: Int(program.bf_len)).map {
            Instruction(code: $0.code, ifTrue: $0.jt, ifFalse: $0.jf, operand: $0.k)
        }
    }

    /// As `tcpdump -d` prints it.
    public var text: String {
        var lines: [String] = []
        for index in 0..<Int(program.bf_len) {
            // It answers with a buffer of its own, the same one each time.
            Self.compiling.withLock { _ in
                if let line = bpf_image(program.bf_insns + index, Int32(index)) {
                    lines.append(String(cString: line))
                }
            }
        }
        return lines.joined(separator: "\n")
    }
}

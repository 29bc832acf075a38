// SPDX-License-Identifier: Apache-2.0
import CPcap
import Synchronization
import XDP

extension ClassicProgram {
    /// libpcap's scanner keeps state that is not a handle's.
    private static let compiling = Mutex(())

    private enum Answer {
        case instructions([ClassicInstruction])
        case complaint(String)
    }

    /// Compiles an expression of pcap-filter(7) for Ethernet, by libpcap. Names of hosts, networks and ports are looked up as
    /// this machine does, so it may take as long as that.
    ///
    /// Throws what libpcap says (`invalid`), and that an expression asks for what a frame does not hold, or is too long
    /// (`refused`).
    public init(compiling expression: String) throws(XDPError) {
        let what = "the expression '\(Self.shortened(expression))' cannot be compiled"
        guard !expression.utf8.contains(0) else {
            throw XDPError(.invalid, what, because: "it contains a NUL byte", remedy: "Type it anew.")
        }
        // libpcap takes longer by the square of the length: ten seconds for 36 KiB.
        guard expression.utf8.count <= 1 << 16 else {
            throw XDPError(
                .refused, "an expression of \(expression.utf8.count) bytes cannot be compiled",
                because: "the limit is 64 KiB", remedy: Self.lengthRemedy)
        }
        if expression.allSatisfy({ $0.isWhitespace }) {
            self.init(expression: expression, instructions: [])
            return
        }
        switch Self.answer(to: expression) {
        case .complaint(let complaint):
            throw XDPError(
                .invalid, what, because: "libpcap says: \(complaint)", remedy: Self.remedy(for: complaint))
        case .instructions(let instructions):
            self.init(expression: expression, instructions: instructions)
            if let word = Self.metadataWord(in: instructions) { throw Self.metadataError(what, word) }
            guard let graph = ClassicGraph(instructions) else {
                throw XDPError(
                    .refused, what, because: "libpcap made a program of it that cannot be right",
                    remedy: "Please report it, with the expression and the version of libpcap.")
            }
            // Loops are taken apart, all else is left as it is.
            if Self.hasLoop(instructions) { self.instructions = graph.instructions }
            try check()
        }
    }

    private static func answer(to expression: String) -> Answer {
        compiling.withLock { _ in
            guard let handle = pcap_open_dead(DLT_EN10MB, 262_144) else {
                return .complaint("there is no memory left")
            }
            defer { pcap_close(handle) }
            var program = pcap_bpf_program()
            // The mask of a network is nothing that a link type has: PCAP_NETMASK_UNKNOWN.
            guard pcap_compile(handle, &program, expression, 0, .max) == 0 else {
                return .complaint(String(cString: pcap_geterr(handle)))
            }
            defer { pcap_freecode(&program) }
            let instructions = UnsafeBufferPointer(start: program.bf_insns, count: Int(program.bf_len))
            return .instructions(
                instructions.map {
                    ClassicInstruction(code: $0.code, ifTrue: $0.jt, ifFalse: $0.jf, operand: $0.k)
                })
        }
    }

    private static func hasLoop(_ instructions: [ClassicInstruction]) -> Bool {
        instructions.contains {
            if case .goto(let distance) = ClassicOperation($0) { return distance < 0 }
            return false
        }
    }

    // MARK: - Errors

    static let lengthRemedy =
        "Say the same shorter: 'net' for neighbouring hosts, 'portrange' for ports; or capture with several expressions."

    private static func remedy(for complaint: String) -> String {
        let manual = "The language is described in pcap-filter(7)."
        if complaint.contains("unknown host") || complaint.contains("unknown network")
            || complaint.contains("no address")
        {
            return "Give the address itself if this machine cannot resolve the name. \(manual)"
        }
        if complaint.contains("unknown port") {
            return "Give the port's number, or add its name to /etc/services. \(manual)"
        }
        if complaint.contains("netmask") {
            return "Name the address: 'ip dst host 192.0.2.255', or 'ether broadcast'. \(manual)"
        }
        if complaint.contains("supported only on") || complaint.contains("linktype")
            || complaint.contains("link-layer") || complaint.contains("802.11")
        {
            return "Here frames are Ethernet; what other link types have cannot be asked for. \(manual)"
        }
        return "\(manual) On a command line it is quoted as one argument: 'tcp port 443'."
    }

    /// Loads at these offsets are what Linux knows of a packet beside its bytes (SKF_AD_OFF and its like, linux/filter.h).
    private static let metadataOffsets: ClosedRange<UInt32> = 0xffe0_0000...0xffff_ffff

    private static func metadataWord(in instructions: [ClassicInstruction]) -> String? {
        for instruction in instructions {
            guard case .packet(_, let offset, false) = ClassicOperation(instruction),
                metadataOffsets.contains(offset)
            else { continue }
            switch offset &- 0xffff_f000 {
            case 4: return "the packet's direction ('inbound', 'outbound')"
            case 8: return "the interface's number ('ifindex')"
            default: return "what the kernel keeps beside a packet"
            }
        }
        return nil
    }

    private static func metadataError(_ what: String, _ word: String) -> XDPError {
        XDPError(
            .refused, what, because: "it asks for \(word), which an Ethernet frame does not hold",
            remedy: "Leave that out: XDP sees what one interface received, and nothing else.")
    }
}

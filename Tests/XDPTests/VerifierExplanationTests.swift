// SPDX-License-Identifier: Apache-2.0
import BPF
import Bytecode
import TestSupport
import Testing

@testable import XDP

/// Logs as Linux 6.18 printed them, shortened.
@Suite("What a rejection says")
struct VerifierExplanationTests {
    /// ids: two instructions and a line; lb: three, the second of which reads the packet.
    private func chain(license: String = "GPL") throws -> (LinkedProgram, Chain) {
        let ids = Member.of("ids", [.move(.r0, 2), .exit], license: license)
        var balancer = Member.of(
            "lb", [.load(.word, .r2, from: .r1), .load(.byte, .r3, from: .r2), .move(.r0, 2), .exit])
        balancer.unit.lines = [
            .init(instruction: 0, file: "lb.c", text: "\tvoid *start = packet;", position: 9 << 10),
            .init(instruction: 1, file: "lb.c", text: "\treturn start->type;", position: 10 << 10 | 7),
        ]
        let chain = Chain(members: [ids, balancer])
        return (try Linker(limits: .oldest).link(chain, counting: .none), chain)
    }

    /// Where an instruction of the second member went.
    private func place(of instruction: Int, in linked: LinkedProgram) throws -> Int {
        try #require(
            linked.instructions.indices.first { index in
                linked.origin(of: index).map { $0.member == 1 && $0.unitInstruction == instruction } == true
            })
    }

    private func explain(_ log: String, license: String = "GPL") throws -> XDPError {
        let (linked, chain) = try chain(license: license)
        let error = BPFError(
            "load the program", on: "xdpctl_chain", kernelMessage: nil, verifierLog: VerifierLog(log))
        return VerifierExplanation(linked, chain).explain(error)
    }

    @Test("the member, the file and the line are named, and the whole log is kept")
    func line() throws {
        let index = try place(of: 1, in: try chain().0)
        let log = """
            func#0 @0
            0: R1=ctx() R10=fp0
            ; void *start = packet; @ lb.c:9
            \(index - 1): (61) r2 = *(u32 *)(r1 +0)       ; R1=ctx() R2_w=pkt(r=0)
            ; return start->type; @ lb.c:10
            \(index): (71) r3 = *(u8 *)(r2 +0)
            invalid access to packet, off=0 size=1, R2(id=0,off=0,r=0)
            R2 offset is outside of the packet
            processed 6 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
            """

        let error = try explain(log)

        #expect(error.what == "The verifier rejects lb")
        #expect(error.why == "R2 offset is outside of the packet (lb.c:10: return start->type;)")
        #expect(error.details == log)
    }

    @Test("without lines the instruction of the member is named")
    func withoutLines() throws {
        let index = try place(of: 2, in: try chain().0)
        var (linked, chain) = try chain()
        try chain.update("lb") { $0.unit.lines = [] }
        linked.lines = []
        let error = BPFError(
            "load the program", verifierLog: VerifierLog("\(index): (b7) r0 = 2\nR0 !read_ok"))

        let explained = VerifierExplanation(linked, chain).explain(error)

        #expect(explained.why == "R0 !read_ok (instruction 2 of lb)")
    }

    @Test("a message that names an instruction is about that one, not about the last in the log")
    func namedInstruction() throws {
        let index = try place(of: 0, in: try chain().0)

        let error = try explain("func#0 @0\nunreachable insn \(index)\nprocessed 0 insns (limit 1000000)")

        #expect(error.what == "The verifier rejects lb")
        #expect(error.why.hasPrefix("unreachable insn \(index) (lb.c:9"))
    }

    @Test(
        "a helper that the kernel lacks is named with the release that brought it",
        arguments: [
            ("invalid func unknown#181", "bpf_loop is not in this kernel; Linux has it since 5.17"),
            ("unknown func bpf_skb_vlan_push#18", "This kernel has bpf_skb_vlan_push, but not for XDP"),
            (
                "program of this type cannot use helper bpf_skb_vlan_push#18",
                "This kernel has bpf_skb_vlan_push, but not for XDP"
            ),
            ("invalid func unknown#5000", "helper 5000 is not in this kernel: use a newer"),
            (
                "calling kernel function bpf_xdp_pull_data is not allowed",
                "does not let XDP programs call bpf_xdp_pull_data (Linux has it since 6.18)"
            ),
        ])
    func missingHelper(reason: String, remedy: String) throws {
        let index = try place(of: 1, in: try chain().0)

        let error = try explain("\(index): (85) call unknown#181\n\(reason)")

        #expect(error.what == "The verifier rejects lb")
        #expect(error.remedy?.contains(remedy) == true, "\(error)")
    }

    @Test(
        "instructions that the kernel does not know are explained with the compiler's option",
        arguments: ["BPF_LDX uses reserved fields", "unknown opcode e5"])
    func instructionSets(reason: String) throws {
        let error = try explain("\(reason)\nprocessed 0 insns (limit 1000000)")

        let remedy = try #require(error.remedy)
        #expect(remedy.contains("-mcpu=v2") && remedy.contains("5.12") && remedy.contains("6.6"))
    }

    @Test("a kernel function that libbpf does not find is named with its release")
    func missingKernelFunction() {
        let error = BPFError(
            "prepare the program", errno: .invalidArgument,
            kernelMessage: "extern (func ksym) 'bpf_throw': not found in kernel or module BTFs",
            remedy: "another one")

        #expect(XDPError(error, during: "x").remedy?.contains("Linux has it since 6.7") == true)
    }

    @Test("the budget of the verifier is nobody's fault")
    func budget() throws {
        let error = try explain(
            "12: (b7) r0 = 2\nBPF program is too large. Processed 1000001 insn\nprocessed 1000001 insns")

        #expect(error.kind == .refused)
        #expect(error.what == "The chain is too much for the verifier")
    }

    @Test("a licence that spoils the chain is named with the member that needs another one")
    func license() throws {
        let index = try place(of: 1, in: try chain().0)
        let log = """
            \(index): (85) call bpf_trace_printk#6
            cannot call GPL-restricted function from non-GPL compatible program
            """

        let error = try explain(log, license: "Proprietary")

        #expect(error.kind == .refused)
        #expect(error.what == "lb cannot share a chain with ids (\"Proprietary\")")
        #expect(try explain(log).what == "The verifier rejects lb")
    }

    @Test("without a log the kernel's own words stay")
    func withoutLog() throws {
        let (linked, chain) = try chain()
        let error = VerifierExplanation(linked, chain).explain(
            BPFError("load the program", errno: .invalidArgument))

        #expect(error.what == "The chain cannot be loaded")
        #expect(error.why.contains("EINVAL"))
    }
}

// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import BPF

/// Texts as Linux 6.18, 5.10 and 6.1 print them.
@Suite("The verifier's log")
struct VerifierLogTests {
    static let logs: [(text: String, reason: String?, instruction: Int?)] = [
        (
            """
            0: R1=ctx() R10=fp0
            ; if (ethernet->h_proto == bpf_htons(ETH_P_ARP)) @ rejected_bounds.c:10
            0: (61) r1 = *(u32 *)(r1 +0)          ; R1_w=pkt(r=0)
            1: (71) r2 = *(u8 *)(r1 +12)
            invalid access to packet, off=12 size=1, R1(id=0,off=12,r=0)
            R1 offset is outside of the packet
            processed 2 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
            """, "R1 offset is outside of the packet", 1
        ),
        ("func#0 @0\nunreachable insn 2\nprocessed 0 insns (limit 1000000)", "unreachable insn 2", 2),
        (
            "0: (b7) r0 = 1\n5: (55) if r1 != 0x0 goto pc-1\ninfinite loop detected at insn 5\n"
                + "processed 9 insns (limit 1000000)", "infinite loop detected at insn 5", 5
        ),
        ("from 3 to 7: R0=1\n7: (95) exit\nR0 !read_ok\nprocessed 8 insns (limit 1000000)", "R0 !read_ok", 7),
        ("jump out of range from insn 3 to 9", "jump out of range from insn 3 to 9", 3),
        (
            "12: (85) call bpf_tail_call#12\ntail_calls are not allowed when call stack of previous frames is "
                + "256 bytes. Too large\nverification time 12 usec\nstack depth 0",
            "tail_calls are not allowed when call stack of previous frames is 256 bytes. Too large", 12
        ),
        ("", nil, nil), ("processed 3 insns (limit 1000000)", nil, nil),
        (
            "mark_precise: frame0: last_idx 4 first_idx 0\nregs=1 stack=0 before 3\nparent didn't have",
            nil, nil
        ),
    ]

    @Test("the one line that matters, and the instruction it is about", arguments: logs)
    func reasons(text: String, reason: String?, instruction: Int?) {
        let log = VerifierLog(text)

        #expect(log.lastInstruction == instruction)
        #expect(log.reason == reason)
    }

    @Test("the closing lines are read")
    func statistics() {
        let log = VerifierLog(
            """
            verification time 123 usec
            stack depth 16+0+24
            processed 4711 insns (limit 1000000) max_states_per_insn 2 total_states 8 peak_states 8 mark_read 2
            """)

        #expect(log.statistics?.processedInstructions == 4711)
        #expect(log.statistics?.microseconds == 123)
        #expect(log.statistics?.stackDepths == [16, 0, 24])
    }

    @Test("a log without closing lines has no statistics")
    func noStatistics() {
        #expect(VerifierStatistics(parsing: "0: (95) exit") == nil)
        #expect(VerifierStatistics(parsing: "processed many insns") == nil)
    }
}

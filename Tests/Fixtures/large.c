// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// About 18 000 instructions in a straight line that end in XDP_PASS: too long for the 16-bit jumps of a
// chain with several of them, cheap for the verifier.
#include "fixture.h"

#define STEP "%[state] *= 31\n\t%[state] += 7\n\t"
#define TEN(x) x x x x x x x x x x

SEC("xdp") int large(struct xdp_md *ctx)
{
	__u64 state = ctx->data_end - ctx->data;

	asm volatile(TEN(TEN(TEN(STEP STEP STEP))) TEN(TEN(TEN(STEP STEP STEP))) TEN(TEN(TEN(STEP STEP STEP)))
		     : [state] "+r"(state));
	/* 9000 rounds of an odd multiplier and an odd summand keep what is even even and odd odd. */
	return state == 0x123456789abcdef ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

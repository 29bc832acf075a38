// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Refused before the verifier looks at any value: an instruction that nothing leads to.
#include "fixture.h"

SEC("xdp") int rejected_unreachable(struct xdp_md *ctx)
{
	asm volatile("r0 = 2\n\t"
		     "exit\n\t"
		     "r0 = 1\n\t"
		     "exit");
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

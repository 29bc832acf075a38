// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Verdict 0x100000002: XDP_PASS for whoever looks at 32 bits, a constant beyond them for an analysis.
#include "fixture.h"

SEC("xdp") int wide_verdict(struct xdp_md *ctx)
{
	__u64 verdict;

	asm volatile("%0 = 0x100000002 ll" : "=r"(verdict));
	return verdict;
}

char _license[] SEC("license") = "GPL";

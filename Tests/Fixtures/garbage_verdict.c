// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The verdict is XDP_PASS with rubbish in the upper half of r0, which the kernel ignores: an epilogue that
// compares 64 bits gets it wrong.
#include "fixture.h"

SEC("xdp") int garbage_verdict(struct xdp_md *ctx)
{
	__u64 verdict;

	asm volatile("%0 = 0xdeadbeef00000002 ll" : "=r"(verdict));
	return verdict;
}

char _license[] SEC("license") = "GPL";

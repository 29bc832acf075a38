// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Refused: returns what was in a register nobody wrote.
#include "fixture.h"

SEC("xdp") int rejected_uninitialised(struct xdp_md *ctx)
{
	int verdict;

	asm volatile("%0 = r8" : "=r"(verdict));
	return verdict;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A verdict out of .rodata, and one constant of each kind that can be set before loading.
// Packets longer than `longest` and everything while `enabled` is false pass untouched.
#include "fixture.h"

const volatile __u32 verdict = XDP_PASS;
const volatile bool enabled = true;
const volatile __u64 longest = 0xffffffffffULL;
const volatile char label[16] = "unset";

/* What the program saw in `label`, for a test to read back. */
char seen[16];

SEC("xdp") int constant_verdict(struct xdp_md *ctx)
{
	__u64 length = ctx->data_end - ctx->data;

	for (int i = 0; i < sizeof(seen); i++)
		seen[i] = label[i];
	if (!enabled || length > longest)
		return XDP_PASS;
	return verdict;
}

char _license[] SEC("license") = "GPL";

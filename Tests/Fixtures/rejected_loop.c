// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Refused: a loop whose end the verifier cannot see.
#include "fixture.h"

SEC("xdp") int rejected_loop(struct xdp_md *ctx)
{
	__u64 length = ctx->data_end - ctx->data;

	asm volatile("if %0 != 0 goto -1" : : "r"(length));
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

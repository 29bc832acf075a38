// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A frame of 504 bytes.
// All of the 512 bytes but one slot, exactly the one in which the linker keeps the context.
// Every slot is written and read again, so that somebody else in this frame shows as XDP_ABORTED.
#include "fixture.h"

#define FRAME 504

SEC("xdp") int stack504(struct xdp_md *ctx)
{
	volatile __u64 frame[FRAME / 8];
	__u64 length = ctx->data_end - ctx->data;

#pragma unroll
	for (int i = 0; i < FRAME / 8; i++)
		frame[i] = length;
#pragma unroll
	for (int i = 0; i < FRAME / 8; i++) {
		if (frame[i] != length)
			return XDP_ABORTED;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

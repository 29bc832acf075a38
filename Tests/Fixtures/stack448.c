// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A frame of 448 bytes.
// A deep frame, as real traffic shapers have: leaves 64 bytes for the linker and for subprograms below it.
// Every slot is written and read again, so that somebody else in this frame shows as XDP_ABORTED.
#include "fixture.h"

#define FRAME 448

SEC("xdp") int stack448(struct xdp_md *ctx)
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

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A frame of 272 bytes.
// More than the 256 bytes under which a tail call may lie: forbids call and adopt members below it when
// it is inlined, and is itself fine inline.
// Every slot is written and read again, so that somebody else in this frame shows as XDP_ABORTED.
#include "fixture.h"

#define FRAME 272

SEC("xdp") int stack272(struct xdp_md *ctx)
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

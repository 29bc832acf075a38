// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A frame of 504 bytes.
// All of the 512 bytes but one slot, exactly the one in which the linker keeps the context.
// The first and the last byte of the frame are written and read, so that a wrong slot shows as a wrong verdict.
#include "fixture.h"

#define FRAME 504

SEC("xdp") int stack504(struct xdp_md *ctx)
{
	volatile __u64 frame[FRAME / 8];
	__u32 length = ctx->data_end - ctx->data;

	for (int i = 0; i < FRAME / 8; i++)
		frame[i] = length + i;
	asm volatile("" ::: "memory");
	for (int i = 0; i < FRAME / 8; i++) {
		if (frame[i] != length + i)
			return XDP_ABORTED;
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

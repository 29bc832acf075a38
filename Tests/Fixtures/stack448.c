// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A frame of 448 bytes.
// A deep frame, as real traffic shapers have: leaves 64 bytes for the linker and for subprograms below it.
// The first and the last byte of the frame are written and read, so that a wrong slot shows as a wrong verdict.
#include "fixture.h"

#define FRAME 448

SEC("xdp") int stack448(struct xdp_md *ctx)
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

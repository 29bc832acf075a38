// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// cflags: -mcpu=v4
// A loop with may_goto (Linux 6.9), which the verifier bounds by itself; it puts a counter into the frame,
// so the stack is deeper than the instructions show. Sums up the packet's bytes.
#include "fixture.h"

__u64 total;

SEC("xdp") int may_goto(struct xdp_md *ctx)
{
	__u8 *byte = packet_start(ctx);
	__u64 sum = 0;

	for (int i = 0; i < 2048; i++) {
		asm goto("may_goto %l[done]" : : : : done);
		if ((void *)(byte + i + 1) > packet_end(ctx))
			break;
		sum += byte[i];
	}
done:
	total = sum;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// cflags: -mcpu=v3
// Verdicts by instructions on 32 bits: comparisons, masks, sums and signs.
#include "fixture.h"

/* drop pass */
SEC("xdp") int by_words(struct xdp_md *ctx)
{
	__u32 number = ctx->rx_queue_index;

	asm volatile("if %0 s< 3 goto +1\n\t%0 = 2\n\tif %0 s> 0 goto +1\n\t%0 = 1" : "+w"(number));
	return number;
}

/* aborted drop pass tx: a switch over words */
SEC("xdp") int by_switch(struct xdp_md *ctx)
{
	__u32 number = ctx->rx_queue_index * 3 + 1;

	switch (number) {
	case XDP_ABORTED:
	case XDP_DROP:
	case XDP_PASS:
	case XDP_TX: return number;
	default: return XDP_PASS;
	}
}

/* pass tx: minus one or zero, and three */
SEC("xdp") int by_sign(struct xdp_md *ctx)
{
	int number = ctx->rx_queue_index;

	asm volatile("%0 s>>= 31\n\t%0 += 3" : "+w"(number));
	return number;
}

char _license[] SEC("license") = "GPL";

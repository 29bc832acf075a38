// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Four constant exits on different paths: analysis should find exactly aborted, drop, pass and tx.
// The last byte of the source MAC address decides.
#include "fixture.h"

SEC("xdp") int exits(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);

	if (!ethernet)
		return XDP_ABORTED;
	switch (ethernet->h_source[ETH_ALEN - 1]) {
	case 1:
		ethernet->h_source[0] |= 2;
		return XDP_DROP;
	case 2:
		ethernet->h_source[0] &= ~2;
		return XDP_TX;
	default:
		return XDP_PASS;
	}
}

char _license[] SEC("license") = "GPL";

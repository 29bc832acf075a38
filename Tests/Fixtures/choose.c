// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The packet chooses the verdict: the last byte of the destination MAC address, modulo 8. So a test
// walks every edge of a graph, unknown verdicts included. Many exits, one of them not a constant.
#include "fixture.h"

SEC("xdp") int choose(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);

	if (!ethernet)
		return XDP_ABORTED;
	return ethernet->h_dest[ETH_ALEN - 1] & 7;
}

char _license[] SEC("license") = "GPL";

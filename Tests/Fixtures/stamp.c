// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Leaves a trace of the order in which members ran: shifts the destination MAC address left by a byte
// and writes its own `stamp` last. After a chain the address reads as the last six stamps.
#include "fixture.h"

const volatile __u8 stamp = 1;
const volatile __u32 verdict = XDP_PASS;

SEC("xdp") int stamp_packet(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);

	if (!ethernet)
		return XDP_ABORTED;
	for (int i = 0; i < ETH_ALEN - 1; i++)
		ethernet->h_dest[i] = ethernet->h_dest[i + 1];
	ethernet->h_dest[ETH_ALEN - 1] = stamp;
	return verdict;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Refused by the verifier: reads the packet without looking where it ends. The message should show the
// marked line and its number.
#include "fixture.h"

SEC("xdp") int rejected_bounds(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = packet_start(ctx);

	if (ethernet->h_proto == bpf_htons(ETH_P_ARP)) /* out of bounds */
		return XDP_DROP;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

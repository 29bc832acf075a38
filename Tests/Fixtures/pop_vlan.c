// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Takes the outermost 802.1Q or 802.1ad tag off: adjust_head inwards. Packets without one pass untouched.
#include "fixture.h"

SEC("xdp") int pop_vlan(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = packet_start(ctx);
	__u8 addresses[2 * ETH_ALEN];
	__u8 *packet;

	if ((void *)(ethernet + 1) + 4 > packet_end(ctx))
		return XDP_PASS;
	if (ethernet->h_proto != bpf_htons(ETH_P_8021Q) && ethernet->h_proto != bpf_htons(ETH_P_8021AD))
		return XDP_PASS;
	__builtin_memcpy(addresses, ethernet, sizeof(addresses));
	if (bpf_xdp_adjust_head(ctx, 4))
		return XDP_ABORTED;
	packet = packet_start(ctx);
	if ((void *)(packet + sizeof(addresses)) > packet_end(ctx))
		return XDP_ABORTED;
	__builtin_memcpy(packet, addresses, sizeof(addresses));
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

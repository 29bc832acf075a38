// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Puts an 802.1Q tag with VLAN 42 between the addresses and the EtherType of every packet: adjust_head
// outwards, which moves what the next member sees.
#include "fixture.h"

struct tag {
	__be16 protocol;
	__be16 control;
};

SEC("xdp") int push_vlan(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);
	__u8 addresses[2 * ETH_ALEN];
	struct tag *tag;
	__u8 *packet;

	if (!ethernet)
		return XDP_PASS;
	__builtin_memcpy(addresses, ethernet, sizeof(addresses));
	if (bpf_xdp_adjust_head(ctx, -(int)sizeof(*tag)))
		return XDP_ABORTED;
	packet = packet_start(ctx);
	if ((void *)(packet + sizeof(addresses) + sizeof(*tag)) > packet_end(ctx))
		return XDP_ABORTED;
	__builtin_memcpy(packet, addresses, sizeof(addresses));
	tag = (void *)(packet + sizeof(addresses));
	tag->protocol = bpf_htons(ETH_P_8021Q);
	tag->control = bpf_htons(42);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Scrubbing, 4 of 4 (see flow_table.c): a key with a deep frame below it, written field by field through
// volatile, among them single bytes and zeros that depend on the packet.
#include "fixture.h"

struct pair {
	__u8 low[4];
	__u32 address;
	__u8 kind;
	__u8 flags;
	__u16 port;
	__u32 mark;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct pair);
	__type(value, __u32);
} pairs SEC(".maps");

SEC("xdp") int flow_pairs(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);
	volatile struct pair key;
	struct udphdr *udp;
	struct iphdr *ip;
	__u32 *count, one = 1;

	if (!ethernet)
		return XDP_PASS;
	for (int i = 0; i < 4; i++) {
		if (ethernet->h_source[i] & 1)
			key.low[i] = ethernet->h_source[i];
		else
			key.low[i] = 0;
	}
	ip = ipv4_header(ctx);
	key.address = 0;
	key.kind = 0;
	key.flags = 0;
	key.mark = 0;
	if (ip) {
		key.address = ip->saddr;
		key.kind = ip->protocol;
		if (ip->frag_off & bpf_htons(0x4000))
			key.flags = 1;
	}
	udp = udp_header(ctx);
	if (udp)
		key.port = udp->dest;
	else
		key.port = 0;
	count = bpf_map_lookup_elem(&pairs, (void *)&key);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&pairs, (void *)&key, &one, BPF_ANY);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

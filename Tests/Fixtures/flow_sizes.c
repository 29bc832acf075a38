// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Profiles of packets, with a key whose fields are zero on some paths and taken from the packet on others,
// four times independently: each path leaves another pattern of zero bytes on the stack (see scrub.h).
#include "fixture.h"

struct profile {
	__u16 type;
	__u16 size;
	__u8 service;
	__u8 ttl;
	__u16 fragment;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct profile);
	__type(value, __u32);
} profiles SEC(".maps");

SEC("xdp") int flow_sizes(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);
	struct iphdr *ip = ipv4_header(ctx);
	volatile struct profile key;
	__u32 *count, one = 1;

	if (!ethernet)
		return XDP_PASS;
	key.type = ethernet->h_proto;
	if (ip && ip->tos)
		key.service = ip->tos;
	else
		key.service = 0;
	if (ip && ip->ttl < 32)
		key.ttl = ip->ttl;
	else
		key.ttl = 0;
	if (ip && ip->frag_off)
		key.fragment = ip->frag_off;
	else
		key.fragment = 0;
	if (ctx->data_end - ctx->data > 512)
		key.size = (ctx->data_end - ctx->data) >> 8;
	else
		key.size = 0;
	count = bpf_map_lookup_elem(&profiles, (void *)&key);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&profiles, (void *)&key, &one, BPF_ANY);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

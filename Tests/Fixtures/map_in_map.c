// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A map of maps with a static inner map: an address family's own counter array, by EtherType.
// `by_type` starts with one entry, `first`, in slot 0; slot 1 (IPv6) is empty until user space fills it.
#include "fixture.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} first SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} by_type SEC(".maps") = {
	.values = {&first},
};

SEC("xdp") int map_in_map(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);
	__u32 family, key = 0;
	__u64 *count;
	void *map;

	if (!ethernet)
		return XDP_PASS;
	family = ethernet->h_proto == bpf_htons(ETH_P_IPV6);
	map = bpf_map_lookup_elem(&by_type, &family);
	if (!map)
		return XDP_DROP;
	count = bpf_map_lookup_elem(map, &key);
	if (count)
		*count += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

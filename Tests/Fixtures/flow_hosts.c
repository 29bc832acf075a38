// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Counts by source and by destination: u32 keys, each in one half of a stack slot. The other half keeps
// what an earlier member wrote, and the helper call makes the whole slot live (see scrub.h).
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, __u64);
} hosts SEC(".maps");

static __always_inline void count_host(__u32 host)
{
	__u64 *count, one = 1;

	count = bpf_map_lookup_elem(&hosts, &host);
	if (count)
		*count += 1;
	else
		bpf_map_update_elem(&hosts, &host, &one, BPF_NOEXIST);
}

SEC("xdp") int flow_hosts(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_header(ctx);

	if (!ip)
		return XDP_PASS;
	count_host(ip->saddr);
	ip = ipv4_header(ctx);
	if (ip)
		count_host(ip->daddr);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

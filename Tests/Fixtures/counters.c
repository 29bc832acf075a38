// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Counts packets: per IP protocol in a per-CPU array, and in globals of .bss, .data and an own data
// section. The deterministic state that differential tests compare after a run.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} protocols SEC(".maps");

__u64 packets;
__u64 bytes;
__u64 countdown = 1000000;
__u32 shortest SEC(".data.limits") = 0xffffffff;

SEC("xdp") int count(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_header(ctx);
	__u32 protocol = ip ? ip->protocol : 255;
	__u32 length = ctx->data_end - ctx->data;
	__u64 *counter = bpf_map_lookup_elem(&protocols, &protocol);

	if (counter)
		*counter += 1;
	packets += 1;
	bytes += length;
	countdown -= 1;
	if (length < shortest)
		shortest = length;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

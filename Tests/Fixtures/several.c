// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Three programs in one object, which share a map and globals: a chain may take one, two or all of them.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} shared SEC(".maps");

__u64 total;

static __noinline int count(__u32 key)
{
	__u64 *value = bpf_map_lookup_elem(&shared, &key);

	if (value)
		*value += 1;
	total += 1;
	return XDP_PASS;
}

SEC("xdp") int several_first(struct xdp_md *ctx)
{
	return count(0);
}

SEC("xdp") int several_second(struct xdp_md *ctx)
{
	return count(1);
}

SEC("xdp") int several_third(struct xdp_md *ctx)
{
	count(2);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

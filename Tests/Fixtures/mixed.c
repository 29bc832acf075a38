// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// An XDP program beside a tc program that shares its map: the tc program must not be taken for a member.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} seen SEC(".maps");

static __always_inline void count(__u32 key)
{
	__u64 *value = bpf_map_lookup_elem(&seen, &key);

	if (value)
		*value += 1;
}

SEC("tc") int mixed_tc(struct __sk_buff *skb)
{
	count(0);
	return 0;
}

SEC("xdp") int mixed_xdp(struct xdp_md *ctx)
{
	count(1);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A longest-prefix match over source addresses: a listed prefix is dropped, or gets the verdict it names.
#include "fixture.h"

struct prefix {
	__u32 length;
	__u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u32);
} prefixes SEC(".maps");

SEC("xdp") int lpm(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_header(ctx);
	struct prefix key = {.length = 32};
	__u32 *verdict;

	if (!ip)
		return XDP_PASS;
	__builtin_memcpy(key.address, &ip->saddr, sizeof(key.address));
	verdict = bpf_map_lookup_elem(&prefixes, &key);
	return verdict ? *verdict : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

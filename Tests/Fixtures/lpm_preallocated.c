// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A prefix trie without BPF_F_NO_PREALLOC, a common mistake: the kernel says only EINVAL.
#include "fixture.h"

struct prefix {
	__u32 length;
	__u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 1024);
	__type(key, struct prefix);
	__type(value, __u32);
} prefixes SEC(".maps");

SEC("xdp") int lpm_preallocated(struct xdp_md *ctx)
{
	struct prefix key = {.length = 32, .address = {192, 0, 2, 1}};

	return bpf_map_lookup_elem(&prefixes, &key) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Redirects through a devmap by hash, to the entry 7; what has no entry is dropped.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__uint(max_entries, 8);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} devices SEC(".maps");

SEC("xdp") int redirect_hash(struct xdp_md *ctx)
{
	return bpf_redirect_map(&devices, 7, XDP_DROP);
}

char _license[] SEC("license") = "GPL";

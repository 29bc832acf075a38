// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Redirects through a devmap whose entries have room for a program that runs on the way out (Linux 5.8).
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 8);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct bpf_devmap_val));
} devices SEC(".maps");

SEC("xdp") int redirect_values(struct xdp_md *ctx)
{
	return bpf_redirect_map(&devices, 0, XDP_PASS);
}

char _license[] SEC("license") = "GPL";

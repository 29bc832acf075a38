// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Redirects through a devmap: slot 0 for IPv4, slot 1 for the rest. An empty slot passes the packet.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 8);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} devices SEC(".maps");

SEC("xdp") int redirect_devmap(struct xdp_md *ctx)
{
	__u32 slot = ipv4_header(ctx) ? 0 : 1;

	return bpf_redirect_map(&devices, slot, XDP_PASS);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The verdict is looked up in the hash map `ports` by UDP destination port (host byte order).
// Without an entry, and for everything but IPv4 UDP, it is XDP_PASS. State that must survive a relink.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u16);
	__type(value, __u32);
} ports SEC(".maps");

SEC("xdp") int port_verdict(struct xdp_md *ctx)
{
	struct udphdr *udp = udp_header(ctx);
	__u32 *verdict;
	__u16 port;

	if (!udp)
		return XDP_PASS;
	port = bpf_ntohs(udp->dest);
	verdict = bpf_map_lookup_elem(&ports, &port);
	return verdict ? *verdict : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

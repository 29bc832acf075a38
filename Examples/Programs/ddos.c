// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * ddos: keeps reflected floods out.
 *
 * Attackers send small UDP questions with a forged sender to services whose answers are large. This program
 * drops UDP to the services best known for it, which nobody should reach from outside, and counts what it
 * dropped. It belongs at the front of a chain: what is dropped here costs nothing further on.
 *
 *     port      service
 *     19        chargen
 *     123       NTP
 *     1900      SSDP
 *     11211     memcached
 */
#include "packet.h"

/* Packets dropped, by port (host byte order). An entry appears with the first drop. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u16);
	__type(value, __u64);
} dropped SEC(".maps");

static __always_inline bool is_amplifier(__u16 port)
{
	switch (port) {
	case 19:
	case 123:
	case 1900:
	case 11211:
		return true;
	default:
		return false;
	}
}

SEC("xdp") int ddos(struct xdp_md *ctx)
{
	struct packet packet;
	struct udphdr *udp;
	__u64 *count, one = 1;
	__u16 port;

	if (!parse(ctx, &packet))
		return XDP_PASS;
	udp = udp_of(&packet);
	if (!udp)
		return XDP_PASS;
	port = bpf_ntohs(udp->dest);
	if (!is_amplifier(port))
		return XDP_PASS;

	count = bpf_map_lookup_elem(&dropped, &port);
	if (count)
		__sync_fetch_and_add(count, 1);
	else
		bpf_map_update_elem(&dropped, &port, &one, BPF_NOEXIST);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

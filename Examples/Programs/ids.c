// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * ids: looks for TCP segments that no honest stack sends.
 *
 * Port scanners use combinations of flags which mean nothing, because systems answer them differently:
 *
 *     SYN and FIN      opens and closes a connection at once
 *     no flag at all   a "NULL scan"
 *     FIN, PSH, URG    a "Christmas tree"
 *
 * Such a packet is dropped, and its sender remembered. All others pass.
 */
#include "packet.h"

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10
#define URG 0x20

struct offence {
	__u64 packets;   /* how many */
	__u64 last_seen; /* when, in nanoseconds since boot without suspend */
	__u32 flags;     /* the flags of the last */
	__u32 port;      /* and the port it was for, host byte order */
};

/* Who did it. The least recently seen make room for new ones. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct address);
	__type(value, struct offence);
} offenders SEC(".maps");

static __always_inline bool is_suspicious(__u8 flags)
{
	flags &= FIN | SYN | RST | PSH | ACK | URG;
	return flags == 0 || flags == (FIN | PSH | URG) || (flags & (SYN | FIN)) == (SYN | FIN);
}

SEC("xdp") int ids(struct xdp_md *ctx)
{
	struct packet packet;
	struct address sender = {};
	struct offence *known, first = {};
	struct tcphdr *tcp;
	__u8 flags;

	if (!parse(ctx, &packet))
		return XDP_PASS;
	tcp = tcp_of(&packet);
	if (!tcp)
		return XDP_PASS;
	flags = ((__u8 *)tcp)[13];
	if (!is_suspicious(flags))
		return XDP_PASS;

	source_of(&packet, &sender);
	known = bpf_map_lookup_elem(&offenders, &sender);
	if (known) {
		__sync_fetch_and_add(&known->packets, 1);
		known->last_seen = bpf_ktime_get_ns();
		known->flags = flags;
		known->port = bpf_ntohs(tcp->dest);
	} else {
		first.packets = 1;
		first.last_seen = bpf_ktime_get_ns();
		first.flags = flags;
		first.port = bpf_ntohs(tcp->dest);
		bpf_map_update_elem(&offenders, &sender, &first, BPF_ANY);
	}
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

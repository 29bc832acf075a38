// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A flow table as everybody writes it: an LRU hash with a five-tuple key, put together on the stack in
// small writes, which do not end the liveness of what an earlier member left there (see scrub.h).
#include "fixture.h"

struct five_tuple {
	__u32 source;
	__u32 destination;
	__u16 source_port;
	__u16 destination_port;
	__u32 protocol;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct five_tuple);
	__type(value, __u64);
} flows SEC(".maps");

SEC("xdp") int flow_table(struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_header(ctx);
	struct udphdr *ports;
	struct five_tuple key;
	__u64 *count, one = 1;

	if (!ip)
		return XDP_PASS;
	key.source = ip->saddr;
	key.destination = ip->daddr;
	key.protocol = ip->protocol;
	key.source_port = 0;
	key.destination_port = 0;
	if (ip->protocol == IPPROTO_UDP || ip->protocol == IPPROTO_TCP) {
		ports = (void *)ip + sizeof(*ip);
		if ((void *)(ports + 1) > packet_end(ctx))
			return XDP_PASS;
		key.source_port = ports->source;
		key.destination_port = ports->dest;
	}
	count = bpf_map_lookup_elem(&flows, &key);
	if (count)
		*count += 1;
	else
		bpf_map_update_elem(&flows, &key, &one, BPF_ANY);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

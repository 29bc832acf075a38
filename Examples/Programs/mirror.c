// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * mirror: keeps a record of the flows that the balancer transmitted.
 *
 * It is meant to be reached by the verdict XDP_TX of another member: it then sees each packet as that member
 * left it, writes down which flow it belongs to, and returns XDP_TX itself, so that the packet still goes.
 */
#include "packet.h"

struct flow {
	struct address source;
	struct address destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 protocol;
};

struct traffic {
	__u64 packets;
	__u64 bytes;
};

/* The flows. The least recently seen make room for new ones. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct flow);
	__type(value, struct traffic);
} flows SEC(".maps");

SEC("xdp") int mirror(struct xdp_md *ctx)
{
	__u64 length = ctx->data_end - ctx->data;
	struct traffic *traffic, first = {.packets = 1, .bytes = length};
	struct packet packet;
	struct ports *ports;
	/* All of a key counts, also what a packet does not fill in: begin with zeros. */
	struct flow flow = {};

	if (!parse(ctx, &packet))
		return XDP_TX;
	source_of(&packet, &flow.source);
	destination_of(&packet, &flow.destination);
	flow.protocol = packet.protocol;
	ports = ports_of(&packet);
	if (ports) {
		flow.source_port = ports->source;
		flow.destination_port = ports->destination;
	}

	traffic = bpf_map_lookup_elem(&flows, &flow);
	if (traffic) {
		__sync_fetch_and_add(&traffic->packets, 1);
		__sync_fetch_and_add(&traffic->bytes, length);
	} else {
		bpf_map_update_elem(&flows, &flow, &first, BPF_ANY);
	}
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";

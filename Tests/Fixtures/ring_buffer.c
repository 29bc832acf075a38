// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Tells user space about each packet through a ring buffer: an acquired reference that the program must
// release on all of its paths.
#include "fixture.h"

struct event {
	__u32 interface;
	__u32 length;
	__u8 head[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

SEC("xdp") int ring_buffer(struct xdp_md *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	__u8 *packet;

	if (!event)
		return XDP_PASS;
	packet = packet_start(ctx);
	if ((void *)(packet + sizeof(event->head)) > packet_end(ctx)) {
		bpf_ringbuf_discard(event, 0);
		return XDP_PASS;
	}
	event->interface = ctx->ingress_ifindex;
	event->length = ctx->data_end - ctx->data;
	__builtin_memcpy(event->head, packet, sizeof(event->head));
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

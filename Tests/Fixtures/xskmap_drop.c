// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Hands each packet to the AF_XDP socket of its queue; drops it when there is none.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} sockets SEC(".maps");

SEC("xdp") int redirect_or_drop(struct xdp_md *ctx)
{
	return bpf_redirect_map(&sockets, ctx->rx_queue_index, XDP_DROP);
}

char _license[] SEC("license") = "GPL";

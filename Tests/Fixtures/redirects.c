// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Redirects by every helper and flag: what they return without an entry is theirs to say.
#include "fixture.h"

#define MAP_OF(kind) \
	struct { \
		__uint(type, kind); \
		__uint(max_entries, 4); \
		__uint(key_size, sizeof(__u32)); \
		__uint(value_size, sizeof(__u32)); \
	}

MAP_OF(BPF_MAP_TYPE_DEVMAP) ports SEC(".maps");
MAP_OF(BPF_MAP_TYPE_CPUMAP) cpus SEC(".maps");

#define BY_FLAGS(name, flags) \
	SEC("xdp") int name(struct xdp_md *ctx) { return bpf_redirect_map(&ports, 1, flags); }

BY_FLAGS(else_aborted, 0)
BY_FLAGS(else_drop, XDP_DROP)
BY_FLAGS(else_pass, XDP_PASS)
BY_FLAGS(else_tx, XDP_TX)
BY_FLAGS(to_all, BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS)
BY_FLAGS(else_queue, ctx->rx_queue_index)
BY_FLAGS(else_pass_or_tx, ctx->rx_queue_index & 1 ? XDP_PASS : XDP_TX)

/* Two maps. */
SEC("xdp") int to_two(struct xdp_md *ctx)
{
	if (ctx->rx_queue_index == 3)
		return bpf_redirect_map(&cpus, 0, XDP_DROP);
	return bpf_redirect_map(&ports, 0, XDP_PASS);
}

SEC("xdp") int to_interface(struct xdp_md *ctx)
{
	return bpf_redirect(ctx->rx_queue_index ? 7 : 9, 0);
}

SEC("xdp") int to_ingress(struct xdp_md *ctx)
{
	return bpf_redirect(ctx->ingress_ifindex, 0);
}

/* There are no flags: aborted. */
SEC("xdp") int with_flags(struct xdp_md *ctx)
{
	return bpf_redirect(7, 1);
}

/* A number that happens to be redirect's. */
SEC("xdp") int to_nowhere(struct xdp_md *ctx)
{
	return XDP_REDIRECT;
}

char _license[] SEC("license") = "GPL";

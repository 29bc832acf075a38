// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A program for entries of a devmap. It reads egress_ifindex, which only programs of that attach type may:
// cannot be a member of an interface's chain.
#include "fixture.h"

SEC("xdp/devmap") int on_egress(struct xdp_md *ctx)
{
	return ctx->egress_ifindex == ctx->ingress_ifindex ? XDP_DROP : XDP_PASS;
}

SEC("xdp/cpumap") int on_cpu(struct xdp_md *ctx)
{
	return ctx->rx_queue_index == 0xffff ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

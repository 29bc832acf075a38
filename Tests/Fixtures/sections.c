// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Section names which libbpf 1.x no longer knows, in use in the field: each still means XDP.
#include "fixture.h"

SEC("xdp/foo") int section_slash(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp_filter") int section_underscore(struct xdp_md *ctx)
{
	return XDP_DROP;
}

SEC("xdp-root") int section_dash(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("prog") int section_prog(struct xdp_md *ctx)
{
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";

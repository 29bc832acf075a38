// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Reserves four bytes of metadata in front of the packet and writes `mark` there, for a later member or
// for the stack to read.
#include "fixture.h"

const volatile __u32 mark = 0x2a;

SEC("xdp") int meta_write(struct xdp_md *ctx)
{
	__u32 *meta;

	if (bpf_xdp_adjust_meta(ctx, -(int)sizeof(*meta)))
		return XDP_ABORTED;
	meta = (void *)(long)ctx->data_meta;
	if ((void *)(meta + 1) > packet_start(ctx))
		return XDP_ABORTED;
	*meta = mark;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

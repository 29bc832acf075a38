// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Drops a packet whose metadata begins with `mark`; passes one with other metadata or none.
#include "fixture.h"

const volatile __u32 mark = 0x2a;

SEC("xdp") int meta_read(struct xdp_md *ctx)
{
	__u32 *meta = (void *)(long)ctx->data_meta;

	if ((void *)(meta + 1) > packet_start(ctx))
		return XDP_PASS;
	return *meta == mark ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Cuts every packet to at most `most` bytes: adjust_tail.
#include "fixture.h"

const volatile __u32 most = 64;

SEC("xdp") int trim(struct xdp_md *ctx)
{
	int length = ctx->data_end - ctx->data;

	if (length > (int)most && bpf_xdp_adjust_tail(ctx, (int)most - length))
		return XDP_ABORTED;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

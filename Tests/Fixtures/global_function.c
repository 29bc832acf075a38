// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Global functions: the verifier checks them once, by their prototype, which needs full BTF or a change
// to static linkage in the chain's own BTF.
#include "fixture.h"

__u64 longest;

__noinline int remember(struct xdp_md *ctx)
{
	__u64 length = ctx->data_end - ctx->data;

	if (length > longest)
		longest = length;
	return length > 1000;
}

__noinline int judge(__u32 big)
{
	volatile __u32 drop = XDP_DROP;

	return big ? drop : XDP_PASS;
}

SEC("xdp") int global_function(struct xdp_md *ctx)
{
	return judge(remember(ctx));
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Subprograms: several static functions that are really called, one of them by two callers, one of them
// with a frame of its own, and one that calls another. Passes IPv4, drops what is shorter than 20 bytes.
#include "fixture.h"

__u64 calls[4];

static __noinline int record(__u32 index)
{
	if (index < 4)
		calls[index] += 1;
	return index;
}

static __noinline int long_enough(struct xdp_md *ctx, __u32 least)
{
	volatile __u32 length = ctx->data_end - ctx->data;

	record(0);
	return length >= least;
}

static __noinline int is_ipv4(struct xdp_md *ctx)
{
	record(1);
	return ipv4_header(ctx) != NULL;
}

SEC("xdp") int subprograms(struct xdp_md *ctx)
{
	if (!long_enough(ctx, 20))
		return XDP_DROP;
	if (is_ipv4(ctx)) {
		record(2);
		return XDP_PASS;
	}
	record(3);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// What status takes for a dispatcher of libxdp, version 1 of the protocol, with two places that are empty:
// the configuration has no magic number, and its version stands in the types alone.
#include "fixture.h"

struct xdp_dispatcher_config {
	__u8 programs;
	__u32 continuing[10];
	__u32 priorities[10];
};

static volatile const struct xdp_dispatcher_config conf = {
	.programs = 2,
	.continuing = {1U << 31 | 1 << XDP_PASS, 1U << 31 | 1 << XDP_PASS | 1 << XDP_DROP},
	.priorities = {7, 1000},
};

/* What an empty place gives: bit 31 is set in every place, so that the next one runs. */
__noinline int prog0(struct xdp_md *ctx)
{
	volatile int empty = 31;

	return ctx ? empty : XDP_ABORTED;
}

__noinline int prog1(struct xdp_md *ctx)
{
	volatile int empty = 31;

	return ctx ? empty : XDP_ABORTED;
}

SEC("xdp") int xdp_dispatcher(struct xdp_md *ctx)
{
	int verdict;

	if (conf.programs > 0) {
		verdict = prog0(ctx);
		if (!(1U << (verdict & 31) & conf.continuing[0]))
			return verdict;
	}
	if (conf.programs > 1) {
		verdict = prog1(ctx);
		if (!(1U << (verdict & 31) & conf.continuing[1]))
			return verdict;
	}
	return XDP_PASS + (conf.priorities[0] > conf.priorities[1]);
}

__uint(dispatcher_version, 1) SEC("xdp_metadata");

char _license[] SEC("license") = "GPL";

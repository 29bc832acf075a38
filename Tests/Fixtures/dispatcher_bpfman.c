// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// What status takes for a dispatcher of bpfman, version 2 of the protocol, with one place that is empty: as
// libxdp's, but the structure has another name.
#include "fixture.h"

struct xdp_dispatcher_conf {
	__u8 magic;
	__u8 version;
	__u8 programs;
	__u8 frags;
	__u32 continuing[10];
	__u32 priorities[10];
	__u32 flags[10];
};

volatile const struct xdp_dispatcher_conf conf = {
	.magic = 236,
	.version = 2,
	.programs = 1,
	.continuing = {1U << 31 | 1 << XDP_PASS | 1 << XDP_TX},
	.priorities = {55},
};

__noinline int prog0(struct xdp_md *ctx)
{
	volatile int empty = 31;

	return ctx ? empty : XDP_ABORTED;
}

SEC("xdp") int xdp_dispatcher(struct xdp_md *ctx)
{
	int verdict;

	if (conf.programs < 1)
		return XDP_PASS;
	verdict = prog0(ctx);
	return 1U << (verdict & 31) & conf.continuing[0] ? XDP_PASS : verdict;
}

__uint(dispatcher_version, 2) SEC("xdp_metadata");

char _license[] SEC("license") = "GPL";

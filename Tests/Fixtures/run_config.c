// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Carries the run configuration of libxdp's dispatcher as BTF: priority 10, and the chain goes on after
// XDP_PASS and XDP_DROP. The section `.xdp_run_config` has one variable per program, `_NAME`; each member
// is a pointer to an array whose length is the value.
#include "fixture.h"

#define RUN_CONFIG(program) _##program SEC(".xdp_run_config")
#define RUN_VALUE(member, value) int(*member)[value]

struct {
	RUN_VALUE(priority, 10);
	RUN_VALUE(XDP_PASS, 1);
	RUN_VALUE(XDP_DROP, 1);
} RUN_CONFIG(run_config);

SEC("xdp") int run_config(struct xdp_md *ctx)
{
	return ipv4_header(ctx) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls a kernel function that no kernel has: must fail with its name in the message.
#include "fixture.h"

extern int bpf_xdp_fixture_is_missing(struct xdp_md *ctx) __ksym;

SEC("xdp") int kfunc_missing(struct xdp_md *ctx)
{
	return bpf_xdp_fixture_is_missing(ctx);
}

char _license[] SEC("license") = "GPL";

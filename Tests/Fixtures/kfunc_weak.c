// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Would call a kernel function that no kernel has, if it were there: a weak symbol, so it loads and passes.
#include "fixture.h"

extern int bpf_xdp_fixture_is_missing(struct xdp_md *ctx) __ksym __weak;

SEC("xdp") int kfunc_weak(struct xdp_md *ctx)
{
	if (bpf_xdp_fixture_is_missing)
		return bpf_xdp_fixture_is_missing(ctx);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls a helper that no kernel has.
#include "fixture.h"

static long (*const bpf_fixture_of_another_century)(void) = (void *)9999;

SEC("xdp") int helper_missing(struct xdp_md *ctx)
{
	return bpf_fixture_of_another_century() ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The smallest member: two instructions and one constant verdict.
#include "fixture.h"

SEC("xdp") int pass(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

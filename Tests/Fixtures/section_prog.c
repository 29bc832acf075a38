// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// The one program of an object, in iproute2's old default section "prog".
#include "fixture.h"

SEC("prog") int old_default(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Verdict 0, which a chain must tell apart from "nothing ran"; fires xdp:xdp_exception.
#include "fixture.h"

SEC("xdp") int aborted(struct xdp_md *ctx)
{
	return XDP_ABORTED;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Verdict 7, which XDP does not know: no edge matches, and the kernel drops the packet and complains.
#include "fixture.h"

SEC("xdp") int unknown_verdict(struct xdp_md *ctx)
{
	return 7;
}

char _license[] SEC("license") = "GPL";

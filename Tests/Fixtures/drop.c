// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Ends every chain: what comes behind it is dead code to the verifier.
#include "fixture.h"

SEC("xdp") int drop(struct xdp_md *ctx)
{
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

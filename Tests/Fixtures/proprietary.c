// SPDX-License-Identifier: Apache-2.0
// Not GPL-compatible: cannot be inlined beside a member which calls GPL-only helpers. Drops IPv4.
#include "fixture.h"

SEC("xdp") int proprietary(struct xdp_md *ctx)
{
	return ipv4_header(ctx) ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "Proprietary";

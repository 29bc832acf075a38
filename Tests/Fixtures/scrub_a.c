// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Scrubbing, 1 of 4 (see scrub.h): leaves its notes in slots 0 and 1.
#include "scrub.h"

SEC("xdp") int scrub_a(struct xdp_md *ctx)
{
	return leave_notes(ctx, 0);
}

char _license[] SEC("license") = "GPL";

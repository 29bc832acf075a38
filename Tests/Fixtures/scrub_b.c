// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Scrubbing, 2 of 4 (see scrub.h): leaves its notes in slots 2 and 3.
#include "scrub.h"

SEC("xdp") int scrub_b(struct xdp_md *ctx)
{
	return leave_notes(ctx, 2);
}

char _license[] SEC("license") = "GPL";

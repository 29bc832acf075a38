// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls a helper that came with Linux 5.18: the length of a packet with all its buffers.
#include "fixture.h"

SEC("xdp") int helper_recent(struct xdp_md *ctx)
{
	return bpf_xdp_get_buff_len(ctx) > 1000 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

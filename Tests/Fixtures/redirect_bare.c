// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Answers redirect and names no target: the kernel drops the packet (EBADRQC).
#include "fixture.h"

SEC("xdp") int redirect_bare(struct xdp_md *ctx)
{
	return XDP_REDIRECT;
}

char _license[] SEC("license") = "GPL";

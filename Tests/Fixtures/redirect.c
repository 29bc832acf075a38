// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Redirects by interface index, a constant to be set before loading. 0 is nobody: xdp_redirect_err.
#include "fixture.h"

const volatile __u32 target = 0;

SEC("xdp") int redirect(struct xdp_md *ctx)
{
	return bpf_redirect(target, 0);
}

char _license[] SEC("license") = "GPL";

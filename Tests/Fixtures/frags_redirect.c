// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Redirects packets of several buffers by interface index, a constant to be set before loading.
#include "fixture.h"

const volatile __u32 target = 0;

SEC("xdp.frags") int redirect_frags(struct xdp_md *ctx)
{
	return bpf_redirect(target, 0);
}

char _license[] SEC("license") = "GPL";

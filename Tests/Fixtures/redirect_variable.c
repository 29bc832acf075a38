// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Redirects to the interface that a variable names, which may be written to at any time.
#include "fixture.h"

__u32 target = 0;

SEC("xdp") int redirect_variable(struct xdp_md *ctx)
{
	return bpf_redirect(target, 0);
}

char _license[] SEC("license") = "GPL";

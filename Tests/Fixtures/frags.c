// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Knows multi-buffer packets (Linux 5.18): the section sets BPF_F_XDP_HAS_FRAGS. Counts them.
#include "fixture.h"

__u64 packets;
__u64 fragmented;

SEC("xdp.frags") int frags(struct xdp_md *ctx)
{
	__u64 linear = ctx->data_end - ctx->data;

	packets += 1;
	if (bpf_xdp_get_buff_len(ctx) > linear)
		fragmented += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

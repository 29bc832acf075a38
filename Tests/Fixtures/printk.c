// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Strings in .rodata, printed with bpf_trace_printk: a helper only for GPL-compatible programs.
#include "fixture.h"

SEC("xdp") int printk(struct xdp_md *ctx)
{
	static const char format[] = "xdp fixture: %d bytes on interface %d";

	bpf_trace_printk(format, sizeof(format), ctx->data_end - ctx->data, ctx->ingress_ifindex);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

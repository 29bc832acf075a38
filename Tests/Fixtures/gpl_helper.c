// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Calls a helper that only GPL-compatible programs may call: an event for each packet.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

SEC("xdp") int gpl_helper(struct xdp_md *ctx)
{
	__u32 length = ctx->data_end - ctx->data;

	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &length, sizeof(length));
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

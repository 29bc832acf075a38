// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Sends the head of each packet through a perf event array: a helper that gets the context itself.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

SEC("xdp") int perf_output(struct xdp_md *ctx)
{
	__u64 length = ctx->data_end - ctx->data;
	__u64 captured = length < 64 ? length : 64;

	bpf_perf_event_output(ctx, &events, captured << 32 | BPF_F_CURRENT_CPU, &length, sizeof(length));
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A tail call into a program that sends packets back: what the member can answer is only to be seen in the
// array that libbpf fills.
#include "fixture.h"

int tail_tx_callee(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} senders SEC(".maps") = {
	.values = {[0] = &tail_tx_callee},
};

SEC("xdp") int tail_tx_callee(struct xdp_md *ctx)
{
	return XDP_TX;
}

SEC("xdp") int tail_tx(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &senders, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

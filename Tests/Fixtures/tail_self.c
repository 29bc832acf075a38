// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Tail-calls itself until the kernel's limit of 33 stops it, and counts the runs: the budget that all
// members of a chain share. Alone: 34 runs.
#include "fixture.h"

int again(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} self SEC(".maps") = {
	.values = {[0] = &again},
};

__u64 runs;

SEC("xdp") int again(struct xdp_md *ctx)
{
	runs += 1;
	bpf_tail_call(ctx, &self, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

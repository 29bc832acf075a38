// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A multi-buffer program with tail calls: its program array belongs to programs with fragments, so it
// cannot share a chain with programs that know none.
#include "fixture.h"

int frags_callee(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} callees SEC(".maps") = {
	.values = {[0] = &frags_callee},
};

SEC("xdp.frags") int frags_callee(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("xdp.frags") int frags_caller(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &callees, 0);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

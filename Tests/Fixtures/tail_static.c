// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Tail calls into a program array that libbpf fills when it loads the object. The callee's verdict must
// come back into the chain; if the array is ever empty the caller's own XDP_DROP shows it.
#include "fixture.h"

int callee(struct xdp_md *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__array(values, int(struct xdp_md *));
} callees SEC(".maps") = {
	.values = {[0] = &callee},
};

__u64 called;

SEC("xdp") int callee(struct xdp_md *ctx)
{
	called += 1;
	return XDP_PASS;
}

SEC("xdp") int caller(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &callees, 0);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";

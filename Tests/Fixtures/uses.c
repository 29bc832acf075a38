// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// What programs use besides verdicts: fields of the context, adjustments, tail calls.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 8);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} handlers SEC(".maps");

/* drop where the call fails; entry 5 */
SEC("xdp") int tail_constant(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &handlers, 5);
	return XDP_DROP;
}

/* any entry */
SEC("xdp") int tail_variable(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &handlers, ctx->rx_queue_index);
	return XDP_PASS;
}

/* entries 2 and 3 */
SEC("xdp") int tail_either(struct xdp_md *ctx)
{
	__u64 entry = ctx->ingress_ifindex & 1;

	asm volatile("%0 += 2" : "+r"(entry));
	bpf_tail_call(ctx, &handlers, entry);
	return XDP_PASS;
}

SEC("xdp") int adjust_all(struct xdp_md *ctx)
{
	if (bpf_xdp_adjust_head(ctx, 4) || bpf_xdp_adjust_tail(ctx, -4) || bpf_xdp_adjust_meta(ctx, -4))
		return XDP_ABORTED;
	return XDP_PASS;
}

SEC("xdp") int adjust_tail(struct xdp_md *ctx)
{
	bpf_xdp_adjust_tail(ctx, -1);
	return XDP_PASS;
}

/* data_meta and data: metadata is read */
SEC("xdp") int reads_metadata(struct xdp_md *ctx)
{
	__u32 *mark = (void *)(long)ctx->data_meta;

	return (void *)(mark + 1) > (void *)(long)ctx->data ? XDP_PASS : XDP_DROP;
}

static __noinline __u32 queue(struct xdp_md *ctx)
{
	return ctx->rx_queue_index;
}

/* rx_queue_index: by a subprogram */
SEC("xdp") int reads_queue(struct xdp_md *ctx)
{
	return queue(ctx) == 3 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

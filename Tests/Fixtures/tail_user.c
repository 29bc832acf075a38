// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Tail calls into a program array that user space fills: slot 0 for IPv4, slot 1 for the rest. An empty
// slot falls through to `fallthrough`, which counts, and to XDP_PASS.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} handlers SEC(".maps");

__u64 fallthrough;

SEC("xdp") int dispatch(struct xdp_md *ctx)
{
	bpf_tail_call(ctx, &handlers, ipv4_header(ctx) ? 0 : 1);
	fallthrough += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

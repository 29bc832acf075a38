// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A callback of bpf_loop (Linux 5.17): its address is an instruction, and it needs func_info.
// Adds up the first 32 bytes of the packet; drops what adds up to nothing.
#include "fixture.h"

struct sum {
	struct xdp_md *ctx;
	__u32 total;
};

static long add_byte(__u32 index, struct sum *sum)
{
	__u8 *byte = packet_start(sum->ctx);

	if (index > 31 || (void *)(byte + index + 1) > packet_end(sum->ctx))
		return 1;
	sum->total += byte[index];
	return 0;
}

SEC("xdp") int loop(struct xdp_md *ctx)
{
	struct sum sum = {.ctx = ctx};

	bpf_loop(32, add_byte, &sum, 0);
	return sum.total ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";

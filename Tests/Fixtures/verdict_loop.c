// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A callback of bpf_loop (Linux 5.17) writes the verdict into its caller's frame: drop or pass.
#include "fixture.h"

struct search {
	struct xdp_md *ctx;
	__u64 verdict;
};

static long look(__u32 index, struct search *search)
{
	__u8 *byte = packet_start(search->ctx);

	if (index > 31 || (void *)(byte + index + 1) > packet_end(search->ctx))
		return 1;
	if (byte[index] == 0xff) {
		search->verdict = XDP_DROP;
		return 1;
	}
	return 0;
}

SEC("xdp") int verdict_loop(struct xdp_md *ctx)
{
	struct search search = {.ctx = ctx, .verdict = XDP_PASS};

	bpf_loop(32, look, &search, 0);
	return search.verdict;
}

char _license[] SEC("license") = "GPL";

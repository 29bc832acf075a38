// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A buffer on the stack, written and read at an offset the packet chooses (Linux 5.12): the frame's depth
// does not show in the offsets of the memory instructions.
#include "fixture.h"

SEC("xdp") int stack_variable(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);
	volatile __u8 buffer[64] = {};
	__u32 place;

	if (!ethernet)
		return XDP_PASS;
	place = ethernet->h_source[0] & 63;
	buffer[place] = 1;
	return buffer[ethernet->h_source[1] & 63] ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Few instructions, many paths: about fifty thousand instructions for the verifier to process, which it
// cannot prune because each path carries another precise sum. A few of these use up a chain's million.
#include "fixture.h"

__u8 marks[1024];

SEC("xdp") int branches(struct xdp_md *ctx)
{
	__u8 *packet = packet_start(ctx);
	__u32 place = 0;

	if ((void *)(packet + 64) > packet_end(ctx))
		return XDP_PASS;
#pragma unroll
	for (int i = 0; i < 10; i++) {
		__u8 byte = packet[i];

		asm volatile("if %[byte] == 0 goto +1\n\t"
			     "%[place] += %[step]"
			     : [place] "+r"(place)
			     : [byte] "r"(byte), [step] "i"(1 << i));
	}
	/* Reading at `place` makes every value it can have matter. */
	asm volatile("" : "+r"(place));
	if (place < sizeof(marks)) {
		for (int i = 0; i < 8; i++)
			marks[place] += i ^ packet[32 + i];
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

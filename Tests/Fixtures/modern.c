// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// cflags: -mcpu=v4
// Instructions of -mcpu=v3 and v4: 32-bit registers, atomics that fetch, sign extension, byte swaps, signed
// division. A linker must carry through what it does not know.
#include "fixture.h"

__u32 tickets;
__s64 quotient;

SEC("xdp") int modern(struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);
	__u32 ticket = __sync_fetch_and_add(&tickets, 1);

	if (!ethernet)
		return XDP_PASS;
	quotient = (__s64)(signed char)ethernet->h_source[0] / (int)((ethernet->h_source[1] & 7) + 1);
	return __builtin_bswap32(ticket) == 0x12345678 ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A global variable of every kind that can be set before loading, and one that cannot: integers of all
// sizes, an enumeration, a text, a structure. The verdict depends on all, so that none is left out.
#include "fixture.h"

enum level { LOW, MEDIUM = 7, NEGATIVE = -3 };

const volatile __s8 signed8 = -1;
const volatile __s16 signed16 = -1;
const volatile __s32 signed32 = -1;
const volatile __s64 signed64 = -1;
const volatile __u8 unsigned8 = 1;
const volatile __u16 unsigned16 = 1;
const volatile __u32 unsigned32 = 1;
const volatile __u64 unsigned64 = 1;
const volatile bool flag = true;
const volatile enum level level = MEDIUM;
const volatile char text[8] = "abc";
const volatile struct {
	int first;
	int second;
} pair = {1, 2};
volatile __u32 changing = 3;

SEC("xdp") int variables(struct xdp_md *ctx)
{
	__s64 sum = signed8 + signed16 + signed32 + signed64 + unsigned8 + unsigned16 + unsigned32;

	sum += unsigned64 + flag + level + text[0] + pair.first + changing;
	return sum ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";

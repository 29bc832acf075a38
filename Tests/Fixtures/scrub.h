// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Four programs, scrub_a to scrub_d, whose verification multiplies when they are put behind one another
 * without scrubbing the stack between them.
 *
 * Each keeps eight slots on the stack. In the lower half of each it puts a 32-bit key and gives its address
 * to a helper. Writing half a slot does not end the slot's liveness, so for the verifier the other half is
 * read as well, even if it is what an earlier program left there. And each program leaves something of its
 * own: in the upper halves of two of the slots, the packet decides between a zero (tried first) and an
 * unknown number, which the verifier tells apart. So each program is verified again for each of the four
 * patterns of every program before it: 1 + 4 + 16 + 64 times instead of 4 times. Alone the work is small.
 */
#pragma once

#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct slot {
	__u32 key;
	__u32 note;
};

/* The body of a program which leaves notes in slots `first` and `first + 1`. */
static __always_inline int leave_notes(struct xdp_md *ctx, int first)
{
	__u8 *packet = packet_start(ctx);
	volatile struct slot slots[8];
	__u64 *count;

	if ((void *)(packet + 32) > packet_end(ctx))
		return XDP_PASS;
#pragma unroll
	for (int i = first; i < first + 2; i++) {
		slots[i].note = packet[i];
		if (packet[i] & 1)
			slots[i].note = 0;
	}
#pragma unroll
	for (int i = 0; i < 8; i++)
		slots[i].key = packet[16 + i];
#pragma unroll
	for (int i = 0; i < 8; i++) {
		count = bpf_map_lookup_elem(&numbers, (void *)&slots[i].key);
		if (count)
			*count += 1;
	}
	return XDP_PASS;
}

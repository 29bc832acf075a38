// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A timer in a map value (Linux 5.15), armed by the first packet; its callback runs when no packet does.
#include "fixture.h"

#define CLOCK_MONOTONIC 1

struct slot {
	struct bpf_timer timer;
	__u64 fired;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct slot);
} timers SEC(".maps");

__u64 fired;

static int on_timer(void *map, __u32 *key, struct slot *slot)
{
	slot->fired += 1;
	fired += 1;
	return 0;
}

SEC("xdp") int timer(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct slot *slot = bpf_map_lookup_elem(&timers, &key);

	if (!slot)
		return XDP_PASS;
	if (bpf_timer_init(&slot->timer, &timers, CLOCK_MONOTONIC) == 0)
		bpf_timer_set_callback(&slot->timer, on_timer);
	bpf_timer_start(&slot->timer, 1000000, 0);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

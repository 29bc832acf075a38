// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A spin lock in a map value: the map has BTF that must stay with it when a chain uses it again.
#include "fixture.h"

struct total {
	struct bpf_spin_lock lock;
	__u32 packets;
	__u64 bytes;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct total);
} totals SEC(".maps");

SEC("xdp") int spin_lock(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u32 length = ctx->data_end - ctx->data;
	struct total *total = bpf_map_lookup_elem(&totals, &key);

	if (!total)
		return XDP_ABORTED;
	bpf_spin_lock(&total->lock);
	total->packets += 1;
	total->bytes += length;
	bpf_spin_unlock(&total->lock);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

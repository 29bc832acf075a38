// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A callback of bpf_for_each_map_elem (Linux 5.13), over a map that user space fills: a packet whose
// length is one of `lengths` is dropped.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, __u32);
} lengths SEC(".maps");

struct bpf_map;

struct search {
	__u32 length;
	__u32 found;
};

static long compare(struct bpf_map *map, __u32 *key, __u32 *value, struct search *search)
{
	if (*value != search->length)
		return 0;
	search->found = 1;
	return 1;
}

SEC("xdp") int for_each(struct xdp_md *ctx)
{
	struct search search = {.length = ctx->data_end - ctx->data};

	bpf_for_each_map_elem(&lengths, compare, &search, 0);
	return search.found ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";

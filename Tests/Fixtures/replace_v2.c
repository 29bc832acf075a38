// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Second version of the program in replace_v1.c: one map as it was, one with larger values, one removed,
// one new, and the same layout of .bss. Counts in tens, so that a test sees who counted.
#include "fixture.h"

/* The same in both versions: keeps its content. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} kept SEC(".maps");

/* Had smaller values in version 1: starts empty. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} changed SEC(".maps");

/* New. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} added SEC(".maps");

__u64 packets;
__u32 version;

SEC("xdp") int replaceable(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *count, ten = 10;

	packets += 10;
	version = 2;
	count = bpf_map_lookup_elem(&kept, &key);
	if (count)
		*count += 10;
	else
		bpf_map_update_elem(&kept, &key, &ten, BPF_ANY);
	count = bpf_map_lookup_elem(&changed, &key);
	if (count)
		*count += 10;
	count = bpf_map_lookup_elem(&added, &key);
	if (count)
		*count += 10;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

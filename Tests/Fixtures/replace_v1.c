// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// First version of a program that is replaced in a running chain (see replace_v2.c).
#include "fixture.h"

/* The same in both versions: keeps its content. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u64);
} kept SEC(".maps");

/* Has larger values in version 2: cannot be kept. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} changed SEC(".maps");

/* Gone in version 2. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} removed SEC(".maps");

__u64 packets;
__u32 version;

SEC("xdp") int replaceable(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *count, one = 1;
	__u32 *small;

	packets += 1;
	version = 1;
	count = bpf_map_lookup_elem(&kept, &key);
	if (count)
		*count += 1;
	else
		bpf_map_update_elem(&kept, &key, &one, BPF_ANY);
	small = bpf_map_lookup_elem(&changed, &key);
	if (small)
		*small += 1;
	count = bpf_map_lookup_elem(&removed, &key);
	if (count)
		*count += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

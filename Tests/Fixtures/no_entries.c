// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A map whose size its own loader would set at run time: as it stands the kernel refuses max_entries 0.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 0);
	__type(key, __u32);
	__type(value, __u64);
} per_cpu_set_by_loader SEC(".maps");

SEC("xdp") int no_entries(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&per_cpu_set_by_loader, &key);

	if (count)
		*count += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Hands each packet to CPU 0 through a cpumap without programs; drops it while the entry is empty.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 2);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} cpus SEC(".maps");

SEC("xdp") int cpu_or_drop(struct xdp_md *ctx)
{
	return bpf_redirect_map(&cpus, 0, XDP_DROP);
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A map pinned by its name: LIBBPF_PIN_BY_NAME shares it with whoever else declares it so. A toolkit must
// not scatter pins below /sys/fs/bpf without being asked.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} xdp_fixture_pinned SEC(".maps");

SEC("xdp") int pinned(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&xdp_fixture_pinned, &key);

	if (count)
		*count += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

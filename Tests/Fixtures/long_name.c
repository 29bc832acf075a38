// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Names longer than the 15 bytes which the kernel keeps: of the program, of a map and of a global.
// Full names are in BTF only.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} packets_by_nothing_in_particular SEC(".maps");

__u64 packets_seen_since_the_program_was_loaded;

SEC("xdp") int program_with_a_long_name(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&packets_by_nothing_in_particular, &key);

	if (count)
		*count += 1;
	packets_seen_since_the_program_was_loaded += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

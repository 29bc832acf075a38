// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A map defined as before BTF, in section "maps": libbpf 1.x refuses the object. So do Rust's aya programs
// with #[map].
#include "fixture.h"

struct old_definition {
	unsigned int type;
	unsigned int key_size;
	unsigned int value_size;
	unsigned int max_entries;
	unsigned int map_flags;
};

struct old_definition counts SEC("maps") = {
	.type = BPF_MAP_TYPE_ARRAY,
	.key_size = sizeof(__u32),
	.value_size = sizeof(__u64),
	.max_entries = 1,
};

SEC("xdp") int legacy_maps(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(&counts, &key);

	if (count)
		*count += 1;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A relocation that cannot succeed, on a path that is taken: libbpf poisons the instruction, and the
// message must name the field.
#include "fixture.h"
#include <bpf/bpf_core_read.h>

struct task_struct {
	int pid;
	int field_of_another_century;
} __attribute__((preserve_access_index));

__u64 offset;

SEC("xdp") int core_missing(struct xdp_md *ctx)
{
	offset = bpf_core_field_offset(struct task_struct, field_of_another_century);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

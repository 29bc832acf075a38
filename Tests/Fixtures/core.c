// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Relocated against the kernel's own types: offsets and sizes of structures this file knows one field of.
// Needs vmlinux BTF. The values are left in globals; they are never 0 in a kernel with these types.
#include "fixture.h"
#include <bpf/bpf_core_read.h>

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

struct sk_buff {
	unsigned int len;
} __attribute__((preserve_access_index));

/* A flavour: everything behind the three underscores is not part of the name. */
struct xdp_buff___future {
	unsigned long field_of_another_century;
} __attribute__((preserve_access_index));

__u64 pid_offset;
__u64 task_size;
__u64 length_offset;
__u64 future;

SEC("xdp") int core(struct xdp_md *ctx)
{
	pid_offset = bpf_core_field_offset(struct task_struct, pid);
	task_size = bpf_core_type_size(struct task_struct);
	length_offset = bpf_core_field_offset(struct sk_buff, len);
	future = bpf_core_field_exists(struct xdp_buff___future, field_of_another_century);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Verdicts that user space puts into a map: a program that has nothing to redirect with, and one that has.
#include "fixture.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} policy SEC(".maps");

/* All but redirect. */
SEC("xdp") int plain_policy(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u32 *verdict = bpf_map_lookup_elem(&policy, &key);

	return verdict ? *verdict : XDP_ABORTED;
}

/* All. */
SEC("xdp") int redirect_policy(struct xdp_md *ctx)
{
	__u32 key = 0;
	__u32 *verdict = bpf_map_lookup_elem(&policy, &key);

	if (!verdict)
		return XDP_PASS;
	if (*verdict == XDP_REDIRECT)
		bpf_redirect(1, 0);
	return *verdict;
}

char _license[] SEC("license") = "GPL";

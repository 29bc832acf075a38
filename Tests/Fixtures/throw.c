// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Throws (Linux 6.7) on packets that are not IPv4. An exception unwinds the whole program, so inlined it
// would take the rest of the chain with it: has to be adopted.
#include "fixture.h"

extern void bpf_throw(__u64 cookie) __ksym;

SEC("xdp") int throw(struct xdp_md *ctx)
{
	if (!ipv4_header(ctx))
		bpf_throw(XDP_DROP);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

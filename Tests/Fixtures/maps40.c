// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Forty maps: with another such member a chain passes the 64 maps that one program may use.
#include "fixture.h"

#define MAP(name)                                                                                          \
	struct {                                                                                           \
		__uint(type, BPF_MAP_TYPE_ARRAY);                                                          \
		__uint(max_entries, 1);                                                                    \
		__type(key, __u32);                                                                        \
		__type(value, __u32);                                                                      \
	} name SEC(".maps");
#define COUNT(name)                                                                                        \
	count = bpf_map_lookup_elem(&name, &key);                                                          \
	if (count)                                                                                         \
		*count += 1;
#define FIVE(X, n) X(map##n##0) X(map##n##1) X(map##n##2) X(map##n##3) X(map##n##4)
#define FORTY(X) \
	FIVE(X, a) FIVE(X, b) FIVE(X, c) FIVE(X, d) FIVE(X, e) FIVE(X, f) FIVE(X, g) \
	FIVE(X, h)

FORTY(MAP)

SEC("xdp") int maps40(struct xdp_md *ctx)
{
	__u32 key = 0, *count;

	FORTY(COUNT)
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

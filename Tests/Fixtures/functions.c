// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A hundred and thirty functions beside the main one: two such members pass the 256 that one program may have.
#include "fixture.h"

__u64 calls;

#define FUNCTION(name)                                                                                     \
	static __noinline int name(struct xdp_md *ctx)                                                     \
	{                                                                                                  \
		calls += ctx->data_end > ctx->data;                                                        \
		return 0;                                                                                  \
	}
#define CALL(name) name(ctx);
#define TEN(X, n) \
	X(f##n##0) X(f##n##1) X(f##n##2) X(f##n##3) X(f##n##4) X(f##n##5) X(f##n##6) X(f##n##7) X(f##n##8) X(f##n##9)
#define HUNDRED_AND_THIRTY(X) \
	TEN(X, a) TEN(X, b) TEN(X, c) TEN(X, d) TEN(X, e) TEN(X, f) TEN(X, g) \
	TEN(X, h) TEN(X, i) TEN(X, j) TEN(X, k) TEN(X, l) TEN(X, m)

HUNDRED_AND_THIRTY(FUNCTION)

SEC("xdp") int functions(struct xdp_md *ctx)
{
	HUNDRED_AND_THIRTY(CALL)
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Eight frames, the most the verifier allows before 7.x: main and seven nested calls. As a `call` member
// it would need nine.
#include "fixture.h"

__u32 depth;

#define FRAME(name, next)                                                                                  \
	static __noinline int name(struct xdp_md *ctx)                                                     \
	{                                                                                                  \
		depth += 1;                                                                                \
		return next;                                                                               \
	}

FRAME(frame8, ctx->data == ctx->data_end ? XDP_ABORTED : XDP_PASS)
FRAME(frame7, frame8(ctx))
FRAME(frame6, frame7(ctx))
FRAME(frame5, frame6(ctx))
FRAME(frame4, frame5(ctx))
FRAME(frame3, frame4(ctx))
FRAME(frame2, frame3(ctx))

SEC("xdp") int frames(struct xdp_md *ctx)
{
	depth += 1;
	return frame2(ctx);
}

char _license[] SEC("license") = "GPL";

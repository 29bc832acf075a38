// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Hand-written assembly with a branch that is never taken and reads r9, which nobody wrote. The verifier
// never goes there, but its liveness analysis takes r9 as live at the program's entry: the linker has to
// give r9 a value, or what an earlier member left in it multiplies the work.
#include "fixture.h"

SEC("xdp") int reads_r9(struct xdp_md *ctx)
{
	__u64 length = ctx->data_end - ctx->data;
	__u64 verdict;

	asm volatile("%[verdict] = 2\n\t"
		     "if %[zero] == 0 goto +1\n\t"
		     "%[verdict] = r9\n\t"
		     "if %[length] > 9 goto +1\n\t"
		     "%[verdict] = 1"
		     : [verdict] "=&r"(verdict)
		     : [zero] "r"(0), [length] "r"(length));
	return verdict;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// A naked function: clang 21 gives it BTF that the kernel refuses ("Invalid arg#1"), and libbpf loads the
// program without BTF and without a word. The linker must notice and bring its own.
#include "fixture.h"

SEC("xdp") __attribute__((naked)) int naked(struct xdp_md *ctx)
{
	asm volatile("r0 = 2\n\t"
		     "exit");
}

char _license[] SEC("license") = "GPL";

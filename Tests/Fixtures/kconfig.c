// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Reads the kernel's version as libbpf's virtual configuration variable: a .kconfig map.
#include "fixture.h"

extern int LINUX_KERNEL_VERSION __kconfig;

__u32 version;

SEC("xdp") int kconfig(struct xdp_md *ctx)
{
	version = LINUX_KERNEL_VERSION;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

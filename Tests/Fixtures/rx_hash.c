// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Reads receive metadata through a kernel function (Linux 6.3): only a program bound to a device may.
#include "fixture.h"

/* Of the kernel's enumeration only the name matters here. */
enum xdp_rss_hash_type {
	XDP_RSS_TYPE_NONE = 0,
};

extern int bpf_xdp_metadata_rx_hash(const struct xdp_md *ctx, __u32 *hash,
				    enum xdp_rss_hash_type *type) __ksym;

__u32 last;

SEC("xdp") int rx_hash(struct xdp_md *ctx)
{
	enum xdp_rss_hash_type type = XDP_RSS_TYPE_NONE;
	__u32 hash = 0;

	if (bpf_xdp_metadata_rx_hash(ctx, &hash, &type) == 0)
		last = hash;
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

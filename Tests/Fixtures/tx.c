// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Sends every packet back to where it came from; for edges on `tx`, and for bulk_tx counters.
#include "fixture.h"

SEC("xdp") int tx(struct xdp_md *ctx)
{
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";

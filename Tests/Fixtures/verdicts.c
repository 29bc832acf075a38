// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Ways in which programs come by a verdict, one program each; the analysis has to find exactly those in
// the comment above it. The packet's first byte decides.
#include "fixture.h"

const volatile __u32 table[8] = {XDP_PASS, XDP_DROP, XDP_PASS, XDP_TX, XDP_PASS, XDP_DROP, XDP_PASS, XDP_PASS};
const volatile bool enabled = false;

static __always_inline __u32 first_byte(const struct xdp_md *ctx)
{
	struct ethhdr *ethernet = ethernet_header(ctx);

	return ethernet ? ethernet->h_dest[0] : 0;
}

/* drop pass tx */
SEC("xdp") int from_table(struct xdp_md *ctx)
{
	return table[first_byte(ctx) & 7];
}

/* drop pass */
SEC("xdp") int from_mask(struct xdp_md *ctx)
{
	return first_byte(ctx) & 1 ? XDP_PASS : XDP_DROP;
}

/* drop pass: one more than the lowest bit */
SEC("xdp") int from_bit(struct xdp_md *ctx)
{
	__u64 bit = first_byte(ctx) & 1;

	asm volatile("%0 += 1" : "+r"(bit));
	return bit;
}

/* drop pass tx: whatever the byte is, not less than 1 and not more than 3 */
SEC("xdp") int from_clamp(struct xdp_md *ctx)
{
	__u64 number = first_byte(ctx);

	asm volatile("if %0 < 4 goto +1\n\t%0 = 3\n\tif %0 != 0 goto +1\n\t%0 = 1" : "+r"(number));
	return number;
}

/* aborted drop pass: the rest of a division by three */
SEC("xdp") int from_modulo(struct xdp_md *ctx)
{
	__u64 number = first_byte(ctx);

	asm volatile("%0 %%= 3" : "+r"(number));
	return number;
}

/* pass tx: kept on the stack meanwhile */
SEC("xdp") int from_stack(struct xdp_md *ctx)
{
	volatile __u64 verdict = XDP_PASS;

	if (first_byte(ctx) == 7)
		verdict = XDP_TX;
	return verdict;
}

/* drop tx: half of what was stored */
SEC("xdp") int from_half(struct xdp_md *ctx)
{
	__u64 both = (__u64)XDP_TX << 32 | XDP_DROP;
	int verdict;

	asm volatile(
		"*(u64 *)(r10 - 8) = %[both]\n\t"
		"%[verdict] = *(u32 *)(r10 - 8)\n\t"
		"if %[byte] > 9 goto +1\n\t"
		"%[verdict] = *(u32 *)(r10 - 4)"
		: [verdict] "=&r"(verdict) : [both] "r"(both), [byte] "r"((__u64)first_byte(ctx)) : "memory");
	return verdict;
}

static __noinline int judge(__u32 byte)
{
	if (byte > 100)
		return XDP_TX;
	if (byte > 50)
		return XDP_DROP;
	return -1;
}

/* drop pass: a subprogram's tx becomes a drop, its -1 a pass */
SEC("xdp") int from_subprogram(struct xdp_md *ctx)
{
	int verdict = judge(first_byte(ctx));

	if (verdict < 0)
		return XDP_PASS;
	return verdict == XDP_TX ? XDP_DROP : verdict;
}

static __noinline void decide(__u64 *verdict, __u32 byte)
{
	*verdict = byte & 2 ? XDP_TX : XDP_PASS;
}

/* pass tx: written into the caller's frame by a subprogram */
SEC("xdp") int from_callee(struct xdp_md *ctx)
{
	__u64 verdict = XDP_ABORTED;

	decide(&verdict, first_byte(ctx));
	return verdict;
}

/* aborted drop pass tx: a compiler makes a table of this */
SEC("xdp") int from_switch(struct xdp_md *ctx)
{
	switch (first_byte(ctx)) {
	case 0: return XDP_PASS;
	case 1: return XDP_DROP;
	case 2: return XDP_PASS;
	case 3: return XDP_TX;
	case 4: return XDP_DROP;
	case 5: return XDP_TX;
	case 6: return XDP_PASS;
	default: return XDP_ABORTED;
	}
}

/* aborted pass: of what is no verdict only the numbers that are left */
SEC("xdp") int from_comparison(struct xdp_md *ctx)
{
	__u32 number = ctx->rx_queue_index;

	if (number > XDP_PASS)
		return XDP_PASS;
	asm volatile("if %0 != 1 goto +1\n\t%0 = 2" : "+r"(number));
	return number;
}

/* drop pass: the lower half is compared, the whole number returned */
SEC("xdp") int from_lower_half(struct xdp_md *ctx)
{
	__u64 number = bpf_ktime_get_ns();

	asm volatile goto("r1 = %0\n\tr1 <<= 32\n\tr1 >>= 32\n\tif r1 > 2 goto %l[other]\n\tif r1 == 0 goto %l[other]"
			  : : "r"(number) : "r1" : other);
	return number;
other:
	return XDP_DROP;
}

/* pass: the redirect is behind a constant that forbids it */
SEC("xdp") int from_configuration(struct xdp_md *ctx)
{
	if (enabled)
		return bpf_redirect(7, 0);
	return XDP_PASS;
}

/* pass in 32 bits, and nothing else */
SEC("xdp") int from_wide(struct xdp_md *ctx)
{
	__u64 verdict = XDP_PASS;

	asm volatile("%0 |= %1" : "+r"(verdict) : "r"((__u64)bpf_ktime_get_ns() << 32));
	return verdict;
}

char _license[] SEC("license") = "GPL";

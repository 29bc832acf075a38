// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// An open-coded number iterator (Linux 6.4): kernel functions and a reference on the stack that has to be
// destroyed on all paths. Counts the zero bytes of the first hundred.
#define bpf_iter_num uapi_bpf_iter_num
#include "fixture.h"
#undef bpf_iter_num

/* As in <linux/bpf.h> since 6.4, for older headers. */
struct bpf_iter_num {
	__u64 opaque[1];
} __attribute__((aligned(8)));

extern int bpf_iter_num_new(struct bpf_iter_num *iterator, int start, int end) __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *iterator) __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *iterator) __ksym;

__u64 zeros;

SEC("xdp") int iterator(struct xdp_md *ctx)
{
	struct bpf_iter_num numbers;
	__u8 *packet = packet_start(ctx);
	int *number;

	bpf_iter_num_new(&numbers, 0, 100);
	while ((number = bpf_iter_num_next(&numbers))) {
		__u32 place = *number;

		asm volatile("if %0 > 99 goto +0" : "+r"(place));
		if (place > 99 || (void *)(packet + place + 1) > packet_end(ctx))
			break;
		if (packet[place] == 0)
			zeros += 1;
	}
	bpf_iter_num_destroy(&numbers);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
// Allocates objects and keeps them in a list (Linux 6.6): its type ids are immediates that only mean
// something with its own BTF, so it is the one kind of program that cannot be inlined.
#define bpf_list_head uapi_bpf_list_head
#define bpf_list_node uapi_bpf_list_node
#include "fixture.h"
#undef bpf_list_head
#undef bpf_list_node
#include <bpf/bpf_core_read.h>

/* As in <linux/bpf.h> since 6.2, for older headers; the kernel knows them by name and size. */
struct bpf_list_head {
	__u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_list_node {
	__u64 opaque[3];
} __attribute__((aligned(8)));

struct item {
	struct bpf_list_node node;
	__u64 length;
};

struct items {
	struct bpf_spin_lock lock;
	struct bpf_list_head head __attribute__((btf_decl_tag("contains:item:node")));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct items);
} lists SEC(".maps");

extern void *bpf_obj_new_impl(__u64 type, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *object, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta,
				    __u64 offset) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;

SEC("xdp") int object_list(struct xdp_md *ctx)
{
	__u32 key = 0;
	struct items *items = bpf_map_lookup_elem(&lists, &key);
	struct bpf_list_node *last;
	struct item *item;

	if (!items)
		return XDP_ABORTED;
	item = bpf_obj_new_impl(bpf_core_type_id_local(struct item), NULL);
	if (!item)
		return XDP_PASS;
	item->length = ctx->data_end - ctx->data;
	bpf_spin_lock(&items->lock);
	bpf_list_push_front_impl(&items->head, &item->node, NULL, 0);
	last = bpf_list_pop_front(&items->head);
	bpf_spin_unlock(&items->lock);
	if (last)
		bpf_obj_drop_impl((void *)last - __builtin_offsetof(struct item, node), NULL);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";

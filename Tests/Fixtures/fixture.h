// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * What most fixtures include: the kernel's types, libbpf's macros, and a few bounds-checked looks into
 * the packet. A fixture states its own licence section, because some are about that.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* The packet's first byte, and the one after its last. */
static __always_inline void *packet_start(const struct xdp_md *ctx)
{
	return (void *)(long)ctx->data;
}

static __always_inline void *packet_end(const struct xdp_md *ctx)
{
	return (void *)(long)ctx->data_end;
}

/* The Ethernet header, or NULL in a packet too short for one. */
static __always_inline struct ethhdr *ethernet_header(const struct xdp_md *ctx)
{
	struct ethhdr *ethernet = packet_start(ctx);

	return (void *)(ethernet + 1) <= packet_end(ctx) ? ethernet : NULL;
}

/* The IPv4 header of an untagged packet, or NULL. */
static __always_inline struct iphdr *ipv4_header(const struct xdp_md *ctx)
{
	struct ethhdr *ethernet = packet_start(ctx);
	struct iphdr *ip = (void *)(ethernet + 1);

	if ((void *)(ip + 1) > packet_end(ctx) || ethernet->h_proto != bpf_htons(ETH_P_IP))
		return NULL;
	return ip;
}

/* The UDP header of an untagged IPv4 packet without options, or NULL. */
static __always_inline struct udphdr *udp_header(const struct xdp_md *ctx)
{
	struct iphdr *ip = ipv4_header(ctx);
	struct udphdr *udp;

	if (!ip || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return NULL;
	udp = (void *)(ip + 1);
	return (void *)(udp + 1) <= packet_end(ctx) ? udp : NULL;
}

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * Finding one's way in a packet.
 *
 * An XDP program gets two pointers: to the first byte of the packet and behind its last. The verifier
 * loads a program only if every access is preceded by a comparison with the end, so each step below reads
 * "if the header ends behind the packet, give up". Everything is inlined into the program that uses it.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <stdbool.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

/* An 802.1Q tag: it sits between the source address and the EtherType, whose place it takes. */
struct vlan_tag {
	__be16 control;
	__be16 type;
};

/* An address of either family. IPv4 is written as IPv6 has it: ::ffff:192.0.2.1. */
struct address {
	__be32 word[4];
};

/* Where things are. Pointers to what a packet does not have are NULL. */
struct packet {
	void *end;
	struct ethhdr *ethernet;
	struct iphdr *ipv4;
	struct ipv6hdr *ipv6;
	__u8 protocol;   /* what is in the IP packet: IPPROTO_TCP, IPPROTO_UDP, ... */
	void *transport; /* where it begins: not yet compared with the end */
};

/* Both ports are the first four bytes of TCP and of UDP. */
struct ports {
	__be16 source;
	__be16 destination;
};

/*
 * Fills in `packet`. False if this is not IPv4 or IPv6, if it is cut short, or if it is a later fragment,
 * which has no transport header. One VLAN tag is looked through; IPv6 extension headers are not.
 */
static __always_inline bool parse(struct xdp_md *ctx, struct packet *packet)
{
	void *header = (void *)(long)ctx->data;
	__be16 type;

	packet->end = (void *)(long)ctx->data_end;
	packet->ipv4 = NULL;
	packet->ipv6 = NULL;

	packet->ethernet = header;
	header = packet->ethernet + 1;
	if (header > packet->end)
		return false;
	type = packet->ethernet->h_proto;

	if (type == bpf_htons(ETH_P_8021Q) || type == bpf_htons(ETH_P_8021AD)) {
		struct vlan_tag *tag = header;

		header = tag + 1;
		if (header > packet->end)
			return false;
		type = tag->type;
	}

	if (type == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = header;

		if ((void *)(ip + 1) > packet->end || ip->ihl < 5)
			return false;
		if (ip->frag_off & bpf_htons(0x1fff))
			return false;
		packet->ipv4 = ip;
		packet->protocol = ip->protocol;
		packet->transport = header + ip->ihl * 4;
		return true;
	}
	if (type == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = header;

		if ((void *)(ip + 1) > packet->end)
			return false;
		packet->ipv6 = ip;
		packet->protocol = ip->nexthdr;
		packet->transport = ip + 1;
		return true;
	}
	return false;
}

/* The UDP header, or NULL. */
static __always_inline struct udphdr *udp_of(struct packet *packet)
{
	struct udphdr *udp = packet->transport;

	if (packet->protocol != IPPROTO_UDP || (void *)(udp + 1) > packet->end)
		return NULL;
	return udp;
}

/* The TCP header without its options, or NULL. */
static __always_inline struct tcphdr *tcp_of(struct packet *packet)
{
	struct tcphdr *tcp = packet->transport;

	if (packet->protocol != IPPROTO_TCP || (void *)(tcp + 1) > packet->end)
		return NULL;
	return tcp;
}

/* The ports of TCP or UDP, or NULL. */
static __always_inline struct ports *ports_of(struct packet *packet)
{
	struct ports *ports = packet->transport;

	if (packet->protocol != IPPROTO_TCP && packet->protocol != IPPROTO_UDP)
		return NULL;
	return (void *)(ports + 1) > packet->end ? NULL : ports;
}

/* Where the packet comes from, of a packet that parse() knows. */
static __always_inline void source_of(struct packet *packet, struct address *address)
{
	if (packet->ipv4)
		*address = (struct address){{0, 0, bpf_htonl(0xffff), packet->ipv4->saddr}};
	else if (packet->ipv6)
		__builtin_memcpy(address, &packet->ipv6->saddr, sizeof(*address));
}

/* Where it goes. */
static __always_inline void destination_of(struct packet *packet, struct address *address)
{
	if (packet->ipv4)
		*address = (struct address){{0, 0, bpf_htonl(0xffff), packet->ipv4->daddr}};
	else if (packet->ipv6)
		__builtin_memcpy(address, &packet->ipv6->daddr, sizeof(*address));
}

// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
/*
 * lb: a toy load balancer.
 *
 * TCP and UDP to the service port are sent on to one of a few backends, the same one for all packets of a
 * flow: the packet gets the backend's MAC and IP address as its destination, ours as its Ethernet source,
 * corrected checksums, and leaves through the interface it came in by (XDP_TX). All else passes, also when
 * the backend it should go to is not in the map.
 *
 * What a real one has and this one has not: health checks, a table that keeps flows in place when backends
 * come and go, and a way back for the answers.
 */
#include "packet.h"

struct backend {
	__u8 mac[ETH_ALEN];
	__u8 unused[2];
	__be32 ipv4;    /* 0: none */
	__be32 ipv6[4]; /* all 0: none */
};

/* The first `backend_count` are in use. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, struct backend);
} backends SEC(".maps");

/* Settings: constants to the verifier, to be set before loading (`--set backend_count=3`). */
const volatile __u32 backend_count = 2;
const volatile __u16 service_port = 8080;
/* To try it without backends: send every packet for the service back to where it came from. */
const volatile bool reflect = false;

/* A number that is the same for all packets of a flow, and different for most others. */
static __always_inline __u32 flow_hash(struct packet *packet, struct ports *ports)
{
	struct address source = {};
	__u32 hash = packet->protocol;

	source_of(packet, &source);
#pragma unroll
	for (int i = 0; i < 4; i++)
		hash = (hash ^ source.word[i]) * 0x9e3779b1;
	hash = (hash ^ ((__u32)ports->source << 16 | ports->destination)) * 0x9e3779b1;
	return hash ^ hash >> 16;
}

/*
 * An Internet checksum after one 32-bit word under it changed (RFC 1624, equation 3). Sums of one's
 * complement do not mind the byte order, so all of this is done in the network's.
 */
static __always_inline __u16 checksum_after(__u16 checksum, __be32 old_word, __be32 new_word)
{
	__u64 sum = (__u16)~checksum;

	sum += (__u32)~old_word;
	sum += new_word;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* The same for the checksum of TCP or UDP, which covers the addresses too. */
static __always_inline void correct_transport(struct packet *packet, __be32 old_word, __be32 new_word)
{
	struct tcphdr *tcp = tcp_of(packet);
	struct udphdr *udp = udp_of(packet);

	if (tcp) {
		tcp->check = checksum_after(tcp->check, old_word, new_word);
	} else if (udp && udp->check) { /* 0: the sender made none */
		udp->check = checksum_after(udp->check, old_word, new_word);
		if (!udp->check)
			udp->check = 0xffff;
	}
}

SEC("xdp") int lb(struct xdp_md *ctx)
{
	struct backend *backend;
	struct packet packet;
	struct ports *ports;
	__u32 choice;

	if (!parse(ctx, &packet))
		return XDP_PASS;
	ports = ports_of(&packet);
	if (!ports || ports->destination != bpf_htons(service_port) || backend_count == 0)
		return XDP_PASS;

	if (reflect) {
		__u8 mac[ETH_ALEN];

		__builtin_memcpy(mac, packet.ethernet->h_source, ETH_ALEN);
		__builtin_memcpy(packet.ethernet->h_source, packet.ethernet->h_dest, ETH_ALEN);
		__builtin_memcpy(packet.ethernet->h_dest, mac, ETH_ALEN);
		return XDP_TX;
	}

	choice = flow_hash(&packet, ports) % backend_count;
	backend = bpf_map_lookup_elem(&backends, &choice);
	if (!backend)
		return XDP_PASS;

	if (packet.ipv4) {
		struct iphdr *ip = packet.ipv4;

		if (!backend->ipv4)
			return XDP_PASS;
		correct_transport(&packet, ip->daddr, backend->ipv4);
		ip->check = checksum_after(ip->check, ip->daddr, backend->ipv4);
		ip->daddr = backend->ipv4;
	} else if (packet.ipv6) {
		__be32 *destination = packet.ipv6->daddr.in6_u.u6_addr32;

		if (!(backend->ipv6[0] | backend->ipv6[1] | backend->ipv6[2] | backend->ipv6[3]))
			return XDP_PASS;
#pragma unroll
		for (int i = 0; i < 4; i++) {
			correct_transport(&packet, destination[i], backend->ipv6[i]);
			destination[i] = backend->ipv6[i];
		}
	}

	__builtin_memcpy(packet.ethernet->h_source, packet.ethernet->h_dest, ETH_ALEN);
	__builtin_memcpy(packet.ethernet->h_dest, backend->mac, ETH_ALEN);
	return XDP_TX;
}

char _license[] SEC("license") = "GPL";

// SPDX-License-Identifier: Apache-2.0
/*
 * What Swift sees of libbpf and the kernel: the headers, and `static inline` wrappers
 * for what it cannot import (variadic system calls, GNU-only prototypes, macros).
 * Do not define _GNU_SOURCE here: the types would differ from those of the Glibc module.
 */
#pragma once

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/ethtool_netlink.h>
#include <linux/genetlink.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/prctl.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <zlib.h>

/* bpf(2): the one way into the kernel's BPF system call. Negative errno on failure. */
static inline long cbpf_bpf(int command, void *attributes, unsigned int size)
{
	long result = syscall(SYS_bpf, command, attributes, size);
	return result < 0 ? -errno : result;
}

/* capget(2) for the calling thread; version 3 needs two data elements. */
static inline int cbpf_capget(struct __user_cap_header_struct *header,
                              struct __user_cap_data_struct *data)
{
	return syscall(SYS_capget, header, data) < 0 ? -errno : 0;
}

/* ioctl(2) is variadic in C. */
static inline int cbpf_ioctl_pointer(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) < 0 ? -errno : 0;
}

/* statfs(2)'s file system type; Swift takes `statfs` for the structure alone. */
static inline long cbpf_file_system_magic(const char *path)
{
	struct statfs information;
	return statfs(path, &information) < 0 ? -1 : (long)information.f_type;
}

/* The resource argument is an enumeration in glibc that Swift and C spell differently. */
static inline int cbpf_get_memory_lock_limit(struct rlimit *limit)
{
	return getrlimit(RLIMIT_MEMLOCK, limit);
}

static inline int cbpf_set_memory_lock_limit(const struct rlimit *limit)
{
	return setrlimit(RLIMIT_MEMLOCK, limit);
}

/* The kind of namespace (CLONE_NEW...) that a descriptor stands for. Negative errno on failure. */
static inline int cbpf_namespace_type(int fd)
{
	int type = ioctl(fd, NS_GET_NSTYPE);
	return type < 0 ? -errno : type;
}

/*
 * Waits until every CPU has left what it was doing in the kernel without sleeping: a grace period of RCU, and so
 * of every packet on its way through a program (MEMBARRIER_CMD_GLOBAL, membarrier(2)).
 */
static inline int cbpf_wait_for_all_cpus(void)
{
	return (int)syscall(__NR_membarrier, 1, 0, 0);
}

/*
 * gettid(2), and set_robust_list(2) for the calling thread: the words that the kernel clears when the thread ends,
 * however it does (Documentation/locking/robust-futexes.rst). Negative errno on failure.
 */
static inline int cbpf_thread_id(void)
{
	return (int)syscall(SYS_gettid);
}

static inline int cbpf_set_robust_list(void *head, size_t size)
{
	return syscall(SYS_set_robust_list, head, size) < 0 ? -errno : 0;
}

/* eventfd(2), closed on exec. Negative errno on failure. */
static inline int cbpf_event(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * epoll(7) for what tells a reader something by waking it, however much can be read (EPOLLET). The number of
 * descriptors that did, or a negative errno.
 */
static inline int cbpf_wakeups(void)
{
	int poll = epoll_create1(EPOLL_CLOEXEC);
	return poll < 0 ? -errno : poll;
}

static inline int cbpf_watch_wakeups(int poll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	return epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static inline int cbpf_wait_for_wakeup(int poll, int milliseconds)
{
	struct epoll_event event;
	int count = epoll_wait(poll, &event, 1, milliseconds);
	return count < 0 ? -errno : count;
}

/* The CPUs that the calling thread may run on, as bits; room for 1024 of them. Negative errno on failure. */
struct cbpf_processors {
	unsigned long bits[16];
};

static inline int cbpf_get_processors(struct cbpf_processors *processors)
{
	memset(processors, 0, sizeof(*processors));
	return syscall(SYS_sched_getaffinity, 0, sizeof(*processors), processors) < 0 ? -errno : 0;
}

static inline int cbpf_set_processors(const struct cbpf_processors *processors)
{
	return syscall(SYS_sched_setaffinity, 0, sizeof(*processors), processors) < 0 ? -errno : 0;
}

/* prctl(2) is variadic: children of children that lose their parent become this process's own. */
static inline int cbpf_adopt_orphans(void)
{
	return syscall(SYS_prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/*
 * SIOCETHTOOL with a command of linux/ethtool.h, about an interface of the namespace that the socket is of. The structure
 * is the part of `struct ifreq` that is used, in its size; <linux/if.h> and <net/if.h> do not go together. Negative
 * errno on failure.
 */
static inline int cbpf_ethtool(int socket, const char *name, void *command)
{
	struct {
		char name[16];
		void *data;
		char rest[16];
	} request;

	memset(&request, 0, sizeof(request));
	strncpy(request.name, name, sizeof(request.name) - 1);
	request.data = command;
	return ioctl(socket, SIOCETHTOOL, &request) < 0 ? -errno : 0;
}

/* Who drives an interface. */
static inline int cbpf_driver_information(int socket, const char *name, struct ethtool_drvinfo *information)
{
	memset(information, 0, sizeof(*information));
	information->cmd = ETHTOOL_GDRVINFO;
	return cbpf_ethtool(socket, name, information);
}

/* Whether a write to standard output failed; the variable itself is nothing that Swift lets everybody look at. */
static inline int cbpf_output_has_failed(void)
{
	return ferror(stdout);
}

/* GNU-only prototypes, hidden without _GNU_SOURCE. */
int setns(int fd, int nstype);
int unshare(int flags);

/* From <sched.h>, which hides them without _GNU_SOURCE. */
#define CBPF_CLONE_NEWNET 0x40000000
#define CBPF_CLONE_NEWNS 0x00020000
#define CBPF_CLONE_FS 0x00000200

/* ioctl numbers, made by macros that Swift does not import. */
static const unsigned long CBPF_TUNSETIFF = TUNSETIFF;

/*
 * sendmmsg(2), which needs _GNU_SOURCE: each vector is a message, at most 64 of them. The number of messages
 * sent, or a negative errno.
 */
static inline int cbpf_send_vectors(int fd, struct iovec *vectors, unsigned int count)
{
	struct {
		struct msghdr header;
		unsigned int length;
	} messages[64];
	long result;

	if (count > 64)
		count = 64;
	memset(messages, 0, sizeof(messages));
	for (unsigned int i = 0; i < count; i++) {
		messages[i].header.msg_iov = &vectors[i];
		messages[i].header.msg_iovlen = 1;
	}
	result = syscall(SYS_sendmmsg, fd, messages, count, 0);
	return result < 0 ? -errno : (int)result;
}

/* The VLAN tag that the kernel took out of a frame. */
struct cbpf_vlan_tag {
	bool present;
	unsigned short protocol;
	unsigned short control;
};

/*
 * Receives one frame from a packet socket with PACKET_AUXDATA, without waiting; the CMSG_* macros are not for
 * Swift. The frame's length, or a negative errno.
 */
static inline long cbpf_receive_frame(int fd, void *buffer, size_t size, struct cbpf_vlan_tag *tag)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
	} control;
	struct iovec vector = {.iov_base = buffer, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct tpacket_auxdata extra;
	struct cmsghdr *part;
	long length = recvmsg(fd, &message, MSG_DONTWAIT);

	tag->present = false;
	if (length < 0)
		return -errno;
	for (part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
		if (part->cmsg_level != SOL_PACKET || part->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&extra, CMSG_DATA(part), sizeof(extra));
		tag->present = (extra.tp_status & TP_STATUS_VLAN_VALID) != 0;
		tag->control = extra.tp_vlan_tci;
		tag->protocol = extra.tp_status & TP_STATUS_VLAN_TPID_VALID ? extra.tp_vlan_tpid : ETH_P_8021Q;
	}
	return length;
}

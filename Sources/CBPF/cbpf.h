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
#include <linux/genetlink.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

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

/* GNU-only prototypes, hidden without _GNU_SOURCE. */
int setns(int fd, int nstype);
int unshare(int flags);

/* From <sched.h>, which hides them without _GNU_SOURCE. */
#define CBPF_CLONE_NEWNET 0x40000000
#define CBPF_CLONE_NEWNS 0x00020000
#define CBPF_CLONE_FS 0x00000200

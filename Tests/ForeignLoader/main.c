// SPDX-License-Identifier: Apache-2.0
/*
 * A loader that knows nothing of chains, as administrators have them, in the ways in which such loaders attach.
 *
 *     ForeignLoader INTERFACE OBJECT [native|generic] [skeleton|raw|netlink|bound]
 *
 * skeleton: libbpf's skeleton, as bpftool writes it, and bpf_program__attach_xdp; the link is held by its
 * descriptor. raw: the same system calls without libbpf's link, as loaders in Go and Rust make them. netlink:
 * bpf_xdp_attach. bound: the same with a program that is bound to the device.
 *
 * Prints "attached PROGRAM LINK", and obeys one command a line:
 *
 *     update OBJECT    another program by BPF_LINK_UPDATE, or by netlink with the old one as the expected one
 *     detach           BPF_LINK_DETACH, or off by netlink
 *     pin PATH         the link
 *     replace          netlink with XDP_FLAGS_REPLACE, whatever the loader attached
 *     churn N OBJECT   N updates to OBJECT and back
 *
 * each answered with "ok PROGRAM" or "error ERRNO". At the end of its input it ends, and detaches nothing.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* BPF_F_XDP_DEV_BOUND_ONLY of linux/bpf.h, Linux 6.3. */
#define BOUND_ONLY (1U << 6)

static int interface, link_fd = -1, program_fd = -1;
static __u32 mode_flag = XDP_FLAGS_DRV_MODE;

static __u32 id_of(int program)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	return bpf_obj_get_info_by_fd(program, &info, &length) ? 0 : info.id;
}

static __u32 id_of_link(int link)
{
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);

	return link < 0 || bpf_obj_get_info_by_fd(link, &info, &length) ? 0 : info.id;
}

/* The first program of an object, loaded; it stays as long as this process. */
static struct bpf_program *load(const char *path, bool is_bound)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_program *program = object ? bpf_object__next_program(object, NULL) : NULL;

	if (!program)
		return NULL;
	if (is_bound) {
		bpf_program__set_ifindex(program, interface);
		bpf_program__set_flags(program, BOUND_ONLY);
	}
	if (bpf_object__load(object))
		return NULL;
	return program;
}

/* What `bpftool gen skeleton` writes for an object, but that it has its bytes from a file. */
static struct bpf_program *load_skeleton(const char *path)
{
	static struct bpf_program *program;
	static struct bpf_prog_skeleton programs[1];
	static struct bpf_object *object;
	static struct bpf_object_skeleton skeleton;
	static char name[64];
	struct bpf_object *look = bpf_object__open_file(path, NULL);
	struct stat status;
	FILE *file = fopen(path, "rb");
	void *data;

	if (!look || !file || fstat(fileno(file), &status) || !(data = malloc(status.st_size)) ||
	    fread(data, 1, status.st_size, file) != (size_t)status.st_size)
		return NULL;
	fclose(file);
	snprintf(name, sizeof(name), "%s", bpf_program__name(bpf_object__next_program(look, NULL)));
	bpf_object__close(look);
	programs[0].name = name;
	programs[0].prog = &program;
	skeleton.sz = sizeof(skeleton);
	skeleton.name = "foreign";
	skeleton.data = data;
	skeleton.data_sz = status.st_size;
	skeleton.obj = &object;
	skeleton.prog_cnt = 1;
	skeleton.prog_skel_sz = sizeof(programs[0]);
	skeleton.progs = programs;
	if (bpf_object__open_skeleton(&skeleton, NULL) || bpf_object__load_skeleton(&skeleton))
		return NULL;
	return program;
}

static int by_netlink(int new_program, int old_program)
{
	DECLARE_LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = old_program);
	__u32 flags = mode_flag | (old_program >= 0 ? XDP_FLAGS_REPLACE : 0);

	return bpf_xdp_attach(interface, new_program, flags, old_program >= 0 ? &options : NULL);
}

static int update(int new_program)
{
	if (link_fd >= 0)
		return bpf_link_update(link_fd, new_program, NULL);
	return by_netlink(new_program, program_fd);
}

static int churn(int count, int other)
{
	for (int round = 0; round < count; round++) {
		int failure = update(round % 2 ? program_fd : other);

		if (failure)
			return failure;
	}
	return 0;
}

static int obey(char *line)
{
	char *word = strtok(line, " \n"), *argument = strtok(NULL, " \n"), *second = strtok(NULL, " \n");
	struct bpf_program *program;
	int failure;

	if (!word)
		return -EINVAL;
	if (!strcmp(word, "update") && argument) {
		program = load(argument, false);
		if (!program)
			return -ENOENT;
		failure = update(bpf_program__fd(program));
		if (!failure)
			program_fd = bpf_program__fd(program);
		return failure;
	}
	if (!strcmp(word, "churn") && argument && second) {
		program = load(second, false);
		return program ? churn(atoi(argument), bpf_program__fd(program)) : -ENOENT;
	}
	if (!strcmp(word, "detach"))
		return link_fd >= 0 ? bpf_link_detach(link_fd) : by_netlink(-1, -1);
	if (!strcmp(word, "replace"))
		return by_netlink(program_fd, program_fd);
	if (!strcmp(word, "pin") && argument)
		return bpf_obj_pin(link_fd, argument);
	return -EINVAL;
}

int main(int count, char **words)
{
	const char *way = count > 4 ? words[4] : "skeleton";
	bool is_bound = !strcmp(way, "bound");
	struct bpf_program *program;
	char line[4096];

	if (count < 3)
		return 2;
	interface = if_nametoindex(words[1]);
	if (count > 3 && !strcmp(words[3], "generic"))
		mode_flag = XDP_FLAGS_SKB_MODE;
	program = !strcmp(way, "skeleton") ? load_skeleton(words[2]) : load(words[2], is_bound);
	if (!interface || !program)
		return 1;
	program_fd = bpf_program__fd(program);
	if (!strcmp(way, "netlink") || is_bound) {
		if (bpf_xdp_attach(interface, program_fd, mode_flag | XDP_FLAGS_UPDATE_IF_NOEXIST, NULL))
			return 1;
	} else if (!strcmp(way, "skeleton") && mode_flag == XDP_FLAGS_DRV_MODE) {
		struct bpf_link *link = bpf_program__attach_xdp(program, interface);

		if (!link)
			return 1;
		link_fd = bpf_link__fd(link);
	} else {
		DECLARE_LIBBPF_OPTS(bpf_link_create_opts, options, .flags = mode_flag);

		link_fd = bpf_link_create(program_fd, interface, BPF_XDP, &options);
		if (link_fd < 0)
			return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("attached %u %u\n", id_of(program_fd), id_of_link(link_fd));
	while (fgets(line, sizeof(line), stdin)) {
		int failure = obey(line);

		if (failure)
			printf("error %d\n", failure < 0 ? -failure : errno);
		else
			printf("ok %u\n", id_of(program_fd));
	}
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * Files, objects and dma-bufs that programs act on.
 */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <xf86drm.h>

#include "world.h"

static int is_driver(int fd, const char *name)
{
	drmVersionPtr version = drmGetVersion(fd);
	int yes = version && !strcmp(version->name, name);

	drmFreeVersion(version);
	return yes;
}

/* Opens the first node of a driver, of those that @pattern names. The path stays if @path is given.
 */
static int open_driver(const char *name, const char *pattern, const char **path)
{
	static glob_t nodes;
	int fd = -1;
	size_t i;

	globfree(&nodes);
	glob("/dev/accel/accel*", 0, NULL, &nodes);
	glob(pattern, GLOB_APPEND, NULL, &nodes);
	for (i = 0; fd < 0 && i < nodes.gl_pathc; i++) {
		fd = open(nodes.gl_pathv[i], O_RDWR | O_CLOEXEC);
		if (fd >= 0 && !is_driver(fd, name)) {
			close(fd);
			fd = -1;
		}
		if (fd >= 0 && path)
			*path = strdup(nodes.gl_pathv[i]);
	}
	return fd;
}

int world_open(struct world *w)
{
	struct drm_npu_dev_query query = {
		.type = DRM_NPU_QUERY_MATMUL,
		.size = sizeof(w->limits),
		.pointer = (uintptr_t)&w->limits,
	};
	unsigned int i;
	int fd;

	memset(w, 0, sizeof(*w));
	/* Its buffers are made on the other kind of node. */
	w->vgem = open_driver("vgem", "/dev/dri/card*", NULL);
	w->timeline = open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);
	fd = open_driver("npu", "/dev/dri/renderD*", &w->node);
	if (fd < 0 || ioctl(fd, DRM_IOCTL_NPU_DEV_QUERY, &query)) {
		fprintf(stderr, "no NPU in /dev/accel or /dev/dri\n");
		return -1;
	}
	close(fd);
	for (i = 0; i < WORLD_FILES; i++)
		w->files[i].fd = -1;
	for (i = 0; i < WORLD_FDS; i++)
		w->fds[i] = -1;
	for (i = 0; i < WORLD_FILES; i++)
		world_reopen(w, &w->files[i]);
	return 0;
}

void world_reopen(struct world *w, struct world_file *f)
{
	int fd = atomic_exchange(&f->fd, open(w->node, O_RDWR | O_CLOEXEC));
	unsigned int i;

	for (i = 0; i < WORLD_OBJECTS; i++) {
		f->bos[i] = 0;
		f->offsets[i] = 0;
		f->ctxs[i] = 0;
		f->perfmons[i] = 0;
		f->syncobjs[i] = 0;
	}
	if (fd >= 0)
		close(fd);
}

void world_close(struct world *w)
{
	unsigned int i;

	/* What its fences held up goes on. */
	close(w->timeline);
	for (i = 0; i < WORLD_FDS; i++)
		close(w->fds[i]);
	for (i = 0; i < WORLD_FILES; i++)
		close(w->files[i].fd);
	close(w->vgem);
}

struct world_file *world_file(struct world *w, struct input *in)
{
	return &w->files[input_below(in, WORLD_FILES)];
}

uint32_t world_name(const atomic_uint *list, struct input *in)
{
	const uint8_t which = input_byte(in);
	unsigned int i;

	if (which >= 250)
		return (uint32_t)input_number(in);
	for (i = which; i < which + WORLD_OBJECTS - 1U && !list[i % WORLD_OBJECTS]; i++)
		;
	return list[i % WORLD_OBJECTS];
}

uint32_t world_take(atomic_uint *list, struct input *in)
{
	const uint32_t name = world_name(list, in);
	unsigned int i;

	if (input_chance(in, 8))
		return name;
	for (i = 0; i < WORLD_OBJECTS; i++)
		if (list[i] == name)
			list[i] = 0;
	return name;
}

uint32_t world_put(atomic_uint *list, struct input *in, uint32_t name)
{
	return atomic_exchange(&list[input_below(in, WORLD_OBJECTS)], name);
}

int world_fd(struct world *w, struct input *in)
{
	return w->fds[input_below(in, WORLD_FDS)];
}

int world_put_fd(struct world *w, struct input *in, int fd)
{
	fd = atomic_exchange(&w->fds[input_below(in, WORLD_FDS)], fd);
	return fd >= 0 && !close(fd);
}

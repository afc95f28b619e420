// SPDX-License-Identifier: MIT
/* The kernel's trace of the driver's events. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "hardware.h"
#include "tracefs.h"

#define EVENTS "events/" NPU_DRIVER

static int write_file(const struct tracefs *tracefs, const char *name, const char *text)
{
	char path[SYSFS_PATH + 32];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", tracefs->instance, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

/* Where tracefs is mounted: the folder that can be looked into. */
static int find(const char *root, char folder[SYSFS_PATH], struct npu_error *err)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	bool forbidden = false;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(folder, SYSFS_PATH, "%.256s%s", root, places[i]);
		if (sysfs_exists("%s/instances", folder))
			return 0;
		forbidden = forbidden || errno == EACCES;
	}
	if (forbidden)
		return error_set(
			err, -EACCES,
			"tracing is not permitted to this user; run it as root, for example "
			"with sudo");
	return error_set(err, -ENOENT,
			 "there is no tracefs; mount it as root: mount -t tracefs trace "
			 "/sys/kernel/tracing");
}

/* From here on there is something to remove. */
static int set_up(struct tracefs *tracefs, unsigned int kib, struct npu_error *err)
{
	char path[SYSFS_PATH + 32], size[16];
	int ret;

	snprintf(size, sizeof(size), "%u", kib);
	/* The clock of the application's own times. */
	ret = write_file(tracefs, "trace_clock", "mono");
	if (!ret)
		ret = write_file(tracefs, "buffer_size_kb", size);
	if (ret)
		return error_set(err, ret, "%s: cannot be set up: %s", tracefs->instance,
				 strerror(-ret));
	snprintf(path, sizeof(path), "%s/trace_pipe", tracefs->instance);
	tracefs->pipe = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (tracefs->pipe < 0)
		return error_set(err, -errno, "%s: %s", path, strerror(errno));
	ret = write_file(tracefs, EVENTS "/enable", "1");
	if (!ret)
		return 0;
	return error_set(err, ret, "%s: the driver's events cannot be switched on: %s",
			 tracefs->instance, strerror(-ret));
}

int tracefs_open(const char *root, unsigned int kib, struct tracefs *tracefs, struct npu_error *err)
{
	char folder[SYSFS_PATH];
	int ret = find(root, folder, err);

	if (ret)
		return ret;
	if (!sysfs_exists("%s/" EVENTS, folder))
		return error_set(err, -ENOENT,
				 "the kernel has no events of driver " NPU_DRIVER
				 ": is the module loaded? npu-run info says more");
	memset(tracefs, 0, sizeof(*tracefs));
	tracefs->pipe = -1;
	tracefs->kib = kib;
	snprintf(tracefs->instance, sizeof(tracefs->instance), "%.400s/instances/npu-run-%ld",
		 folder, (long)getpid());
	if (mkdir(tracefs->instance, 0700))
		return error_set(err, -errno, "%s: cannot be created: %s", tracefs->instance,
				 strerror(errno));
	ret = set_up(tracefs, kib, err);
	if (ret)
		tracefs_close(tracefs);
	return ret;
}

bool tracefs_is_filling(const struct tracefs *tracefs)
{
	const unsigned long long half = (unsigned long long)tracefs->kib * 1024 / 2;
	unsigned long long bytes = 0;
	char text[512];

	for (unsigned int cpu = 0;
	     sysfs_read(text, sizeof(text), "%s/per_cpu/cpu%u/stats", tracefs->instance, cpu) > 0;
	     cpu++)
		if (sysfs_key(text, "bytes", &bytes) && bytes > half)
			return true;
	return false;
}

void tracefs_stop(struct tracefs *tracefs)
{
	write_file(tracefs, EVENTS "/enable", "0");
}

const char *tracefs_next(struct tracefs *tracefs)
{
	char *const text = tracefs->text;
	const char *line;
	char *newline;
	ssize_t n;

	while (!(newline = memchr(text + tracefs->start, '\n', tracefs->end - tracefs->start))) {
		tracefs->end -= tracefs->start;
		memmove(text, text + tracefs->start, tracefs->end);
		tracefs->start = 0;
		/* No event has a line so long. */
		if (tracefs->end == sizeof(tracefs->text))
			tracefs->end = 0;
		n = read(tracefs->pipe, text + tracefs->end, sizeof(tracefs->text) - tracefs->end);
		if (n <= 0)
			return NULL;
		tracefs->end += (size_t)n;
	}
	*newline = '\0';
	line = text + tracefs->start;
	tracefs->start = (size_t)(newline - text) + 1;
	return line;
}

void tracefs_close(struct tracefs *tracefs)
{
	if (tracefs->pipe >= 0)
		close(tracefs->pipe);
	tracefs->pipe = -1;
	rmdir(tracefs->instance);
}

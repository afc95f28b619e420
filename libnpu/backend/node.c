// SPDX-License-Identifier: MIT
/*
 * Device nodes. DRM drivers of accelerators have a node in /dev/accel on kernels that know it, and
 * a render node in /dev/dri on the others; both may be there at once, of other devices too. What
 * went wrong is for a person to put right, so the texts say which of the many reasons it was.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <xf86drm.h>

#include "../error.h"
#include "../object.h"
#include "node.h"

/* What was met on a search. */
struct search {
	const char *root;
	const char *driver;
	char *path;
	size_t path_size;
	unsigned int nodes;
	int code;
	struct npu_error *err; /* of the first node that might have been the one, if any */
};

static int no_permission(const char *path, struct npu_error *err)
{
	char buffer[1024], number[24];
	struct group group, *found = NULL;
	struct stat st;

	if (stat(path, &st))
		return npu_fail(err, -EACCES, "%s: no permission", path);
	if ((st.st_mode & (S_IRGRP | S_IWGRP)) != (S_IRGRP | S_IWGRP))
		return npu_fail(
			err, -EACCES,
			"%s: no permission, only the node's owner has it; the administrator can "
			"give it to a group: chgrp render %s; chmod 660 %s",
			path, path, path);
	if (getgrgid_r(st.st_gid, &group, buffer, sizeof(buffer), &found) || !found)
		snprintf(number, sizeof(number), "%u", (unsigned int)st.st_gid);
	return npu_fail(err, -EACCES,
			"%s: no permission, the node belongs to group %s; join that group and log "
			"in again, or ask the administrator",
			path, found ? group.gr_name : number);
}

static int cannot_open(const char *path, int error, struct npu_error *err)
{
	switch (error) {
	case EACCES:
		return no_permission(path, err);
	case EPERM:
		return npu_fail(
			err, -EACCES,
			"%s: the kernel forbids this process to open it; a container has to be "
			"given the device when it is started",
			path);
	case ENOENT:
	case ENOTDIR:
		return npu_fail(err, -ENOENT, "%s: there is no such file", path);
	case ENODEV:
	case ENXIO:
		return npu_fail(err, -ENODEV, "%s: there is no device behind this node", path);
	case EDQUOT:
		return npu_fail(err, -EDQUOT,
				"%s: this user has it open too often, or has all the queues that "
				"one may have; end some programs",
				path);
	default:
		errno = error;
		return npu_fail(err, -error, "%s: cannot open: %m", path);
	}
}

/* 0 if @fd is a DRM node of @driver. */
static int check_driver(int fd, const char *path, const char *driver, struct npu_error *err)
{
	drmVersionPtr version;
	struct stat st;
	int ret = 0;

	if (fstat(fd, &st) || !S_ISCHR(st.st_mode))
		return npu_fail(err, -ENODEV, "%s: not a device node", path);
	version = drmGetVersion(fd);
	if (!version)
		return npu_fail(err, -ENODEV, "%s: not a DRM node", path);
	if (strcmp(version->name, driver))
		ret = npu_fail(err, -ENODEV, "%s: belongs to driver %s, not to %s", path,
			       version->name, driver);
	drmFreeVersion(version);
	return ret;
}

int npu_node_open(const char *path, const char *driver, struct npu_error *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int ret;

	if (fd < 0)
		return cannot_open(path, errno, err);
	ret = check_driver(fd, path, driver, err);
	if (ret) {
		close(fd);
		return ret;
	}
	return fd;
}

static int is_accel(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "accel", 5);
}

static int is_render(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "renderD", 7);
}

/*
 * True if sysfs says that the node belongs to another driver. That of the bus, whose name this is,
 * is called like that of DRM.
 */
static bool is_anothers(const struct search *search)
{
	char link[300], target[256];
	const char *name;
	struct stat st;
	ssize_t length;

	if (stat(search->path, &st))
		return false;
	snprintf(link, sizeof(link), "%s/sys/dev/char/%u:%u/device/driver", search->root,
		 major(st.st_rdev), minor(st.st_rdev));
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	name = strrchr(target, '/');
	return strcmp(name ? name + 1 : target, search->driver);
}

/* Tries the nodes of one folder in order of their numbers; a file descriptor or -1. */
static int search_folder(struct search *search, const char *name,
			 int (*filter)(const struct dirent *))
{
	struct dirent **list;
	char folder[256];
	int fd = -1, count;

	snprintf(folder, sizeof(folder), "%s/dev/%s", search->root, name);
	count = scandir(folder, &list, filter, versionsort);

	for (int i = 0; i < count; i++) {
		struct npu_error why;

		if (fd < 0) {
			snprintf(search->path, search->path_size, "%s/%s", folder, list[i]->d_name);
			fd = npu_node_open(search->path, search->driver, &why);
			search->nodes++;
			/* No permission may be the reason; a node of another driver is not. */
			if (fd < 0 && fd != -ENODEV && !search->code && !is_anothers(search))
				search->code = npu_fail(search->err, fd, "%s", why.text);
		}
		free(list[i]);
	}
	if (count >= 0)
		free(list);
	return fd < 0 ? -1 : fd;
}

int npu_node_find(const char *root, const char *driver, char *path, size_t path_size,
		  struct npu_error *err)
{
	struct search search = {
		.root = root,
		.driver = driver,
		.path = path,
		.path_size = path_size,
		.err = err,
	};
	int fd = search_folder(&search, "accel", is_accel);

	if (fd < 0)
		fd = search_folder(&search, "dri", is_render);
	if (fd >= 0)
		return fd;

	if (search.code)
		return search.code;
	if (search.nodes)
		return npu_fail(err, -ENODEV,
				"no NPU: %u nodes in /dev/accel and /dev/dri, but none of driver "
				"%s; is the kernel module loaded?",
				search.nodes, driver);
	return npu_fail(err, -ENODEV,
			"no NPU: there is no /dev/accel/accel* and no /dev/dri/renderD*; is the "
			"kernel module %s loaded?",
			driver);
}

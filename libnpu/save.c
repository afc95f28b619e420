// SPDX-License-Identifier: MIT
/*
 * Files that appear whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "save.h"

static int cannot(const char *what, const char *path, struct npu_error *err)
{
	return npu_fail(err, -errno, "cannot %s %s: %m", what, path);
}

/* What is to be created as any new file is, rather than like the one it replaces. */
#define MODE_NEW (-1)

static int refuse(const struct npu_save *save, int ret, const char *why, struct npu_error *err)
{
	return npu_fail(err, ret, "cannot save %s to %s: %s", save->what, save->path, why);
}

/*
 * Renaming takes the place of whatever has the name. What is not a file was meant to be written
 * to, which cannot be done in one step. "mode" becomes that of a file which is there.
 */
static int find_target(struct npu_save *save, int *mode, struct npu_error *err)
{
	struct stat st;

	*mode = MODE_NEW;
	/* Of a pipe behind /dev/stdout there is no path. */
	if (!stat(save->path, &st)) {
		if (!S_ISREG(st.st_mode))
			return refuse(save, -EINVAL, "it is not a file", err);
		*mode = st.st_mode & 0777;
		save->target = realpath(save->path, NULL);
		return save->target ? 0 : refuse(save, -errno, strerror(errno), err);
	}
	if (errno != ENOENT)
		return refuse(save, -errno, strerror(errno), err);
	if (!lstat(save->path, &st))
		return refuse(save, -ENOENT, "it is a link to what is not there", err);
	save->target = strdup(save->path);
	return save->target ? 0 : refuse(save, -ENOMEM, strerror(ENOMEM), err);
}

/* Length of the folder's part of a path, with its slash. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) + 1 : 0;
}

/* Beside the target, by a name that nobody else has and that is never too long for a name. */
static int open_temporary(struct npu_save *save, int mode, struct npu_error *err)
{
	const int folder = folder_length(save->target);
	uint64_t number;
	int ret;

	do {
		free(save->temporary);
		save->temporary = NULL;
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return cannot("name a temporary file beside", save->path, err);
		ret = asprintf(&save->temporary, "%.*s.%016" PRIx64, folder, save->target, number);
		if (ret < 0) {
			save->temporary = NULL;
			return refuse(save, -ENOMEM, strerror(ENOMEM), err);
		}
		save->fd = open(save->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				mode < 0 ? 0666 : mode);
	} while (save->fd < 0 && errno == EEXIST);
	if (save->fd < 0)
		return cannot("create a file beside", save->path, err);
	/* What the umask has left out. Some file systems have no modes. */
	if (mode >= 0)
		fchmod(save->fd, mode);
	return 0;
}

static void forget(struct npu_save *save)
{
	free(save->temporary);
	free(save->target);
}

int npu_save_begin(struct npu_save *save, const char *what, const char *path, struct npu_error *err)
{
	int mode, ret;

	*save = (struct npu_save){ .what = what, .path = path, .fd = -1 };
	ret = find_target(save, &mode, err);
	if (!ret)
		ret = open_temporary(save, mode, err);
	if (ret)
		forget(save);
	return ret;
}

int npu_save_write(struct npu_save *save, const void *data, size_t bytes, struct npu_error *err)
{
	const char *at = data;

	while (bytes) {
		ssize_t done = write(save->fd, at, bytes);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return cannot("write", save->path, err);
		at += done;
		bytes -= done;
	}
	return 0;
}

/* Makes the new name of a file last; a file system that cannot is as good as it can be. */
static void sync_folder(const char *path)
{
	const int length = folder_length(path);
	char *folder = length ? strndup(path, length) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

int npu_save_end(struct npu_save *save, int ret, struct npu_error *err)
{
	if (!ret && fsync(save->fd))
		ret = cannot("write", save->path, err);
	if (close(save->fd) && !ret)
		ret = cannot("write", save->path, err);
	if (!ret && rename(save->temporary, save->target))
		ret = refuse(save, -errno, strerror(errno), err);
	if (ret)
		unlink(save->temporary);
	else
		sync_folder(save->target);
	forget(save);
	return ret;
}

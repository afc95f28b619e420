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

/*
 * Renaming takes the place of whatever has the name. What is not a file was meant to be written
 * to, which cannot be done in one step.
 */
static int check_target(const struct npu_save *save, struct npu_error *err)
{
	struct stat st;

	if (!stat(save->path, &st) && !S_ISREG(st.st_mode))
		return npu_fail(err, -EINVAL, "cannot save %s to %s: it is not a file", save->what,
				save->path);
	return 0;
}

int npu_save_begin(struct npu_save *save, const char *what, const char *path, struct npu_error *err)
{
	uint64_t number;
	int ret;

	*save = (struct npu_save){ .what = what, .path = path, .fd = -1 };
	ret = check_target(save, err);
	if (ret)
		return ret;
	do {
		free(save->temporary);
		save->temporary = NULL;
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return cannot("name a temporary file beside", path, err);
		if (asprintf(&save->temporary, "%s.%016" PRIx64, path, number) < 0) {
			save->temporary = NULL;
			return npu_fail(err, -ENOMEM, "no memory to save %s to %s", what, path);
		}
		/* With the permissions that the caller's umask leaves. */
		save->fd = open(save->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	} while (save->fd < 0 && errno == EEXIST);
	if (save->fd >= 0)
		return 0;
	ret = cannot("create a file beside", path, err);
	free(save->temporary);
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
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash - path + 1) : strdup(".");
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
	if (!ret && rename(save->temporary, save->path))
		ret = npu_fail(err, -errno, "cannot save %s to %s: %m", save->what, save->path);
	if (ret)
		unlink(save->temporary);
	else
		sync_folder(save->path);
	free(save->temporary);
	return ret;
}

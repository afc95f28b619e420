// SPDX-License-Identifier: MIT
/* Writes files that appear whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "save.h"

static int no_name(int why, struct npu_error *err)
{
	return error_set(err, -why, "cannot be created: %s", strerror(why));
}

/* What is to be created as any new file is, rather than like the one it replaces. */
#define MODE_NEW (-1)

/* What a path leads to, and the mode of what is there. /dev/stdout may lead to a file, too. */
static int find_target(const char *path, char target[PATH_MAX], int *mode, struct npu_error *err)
{
	struct stat st;

	/* Of a pipe behind /dev/stdout there is no path. */
	if (!stat(path, &st)) {
		if (!S_ISREG(st.st_mode))
			return error_set(err, -EINVAL, "is not a regular file");
		*mode = (int)(st.st_mode & 0777);
		return realpath(path, target) ? 0 : no_name(errno, err);
	}
	if (errno != ENOENT || !*path)
		return no_name(errno, err);
	if (!lstat(path, &st))
		return error_set(err, -ENOENT, "is a link to what is not there");
	if (errno != ENOENT)
		return no_name(errno, err);
	if (snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
		return no_name(ENAMETOOLONG, err);
	*mode = MODE_NEW;
	return 0;
}

/* Length of the folder's part of a path, with its slash. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) + 1 : 0;
}

static int check_folder(const char *target, struct npu_error *err)
{
	const int length = folder_length(target);
	char folder[PATH_MAX] = ".";

	if (length)
		snprintf(folder, sizeof(folder), "%.*s", length > 1 ? length - 1 : 1, target);
	if (access(folder, W_OK | X_OK))
		return error_set(err, -errno, "cannot be created in %s: %s", folder,
				 strerror(errno));
	return 0;
}

int save_check(const char *path, struct npu_error *err)
{
	char target[PATH_MAX];
	int mode;
	int ret = find_target(path, target, &mode, err);

	return ret ? ret : check_folder(target, err);
}

/* Beside the target, by a name that nobody else has and that is never too long for a name. */
static int open_temporary(struct save *save, int mode)
{
	const int folder = folder_length(save->target);
	uint64_t number;
	int fd;

	do {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -1;
		if (snprintf(save->temporary, sizeof(save->temporary), "%.*s.%016" PRIx64 ".tmp",
			     folder, save->target, number) >= (int)sizeof(save->temporary)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = open(save->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
			  mode < 0 ? 0666 : mode);
	} while (fd < 0 && errno == EEXIST);
	return fd;
}

static FILE *open_file(struct save *save, int mode)
{
	int fd = open_temporary(save, mode);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");

	/* What the umask has left out. Some file systems have no modes. */
	if (file && mode >= 0)
		fchmod(fd, (mode_t)mode);
	if (fd >= 0 && !file) {
		int why = errno;

		close(fd);
		unlink(save->temporary);
		errno = why;
	}
	return file;
}

void save_guard(sigset_t *before)
{
	sigset_t deadly;

	sigemptyset(&deadly);
	sigaddset(&deadly, SIGHUP);
	sigaddset(&deadly, SIGINT);
	sigaddset(&deadly, SIGPIPE);
	sigaddset(&deadly, SIGTERM);
	sigprocmask(SIG_BLOCK, &deadly, before);
}

void save_unguard(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

int save_begin(struct save *save, const char *path, struct npu_error *err)
{
	int mode;
	int ret = find_target(path, save->target, &mode, err);

	if (!ret)
		ret = check_folder(save->target, err);
	if (ret)
		return ret;
	save_guard(&save->before);
	save->file = open_file(save, mode);
	if (save->file) {
		errno = 0;
	} else {
		ret = error_set(err, -errno, "cannot be written: %s", strerror(errno));
		save_unguard(&save->before);
	}
	return ret;
}

int save_end(struct save *save, struct npu_error *err)
{
	int ret = 0;

	/* Nothing else that sets errno is done while a file is written. */
	if (fflush(save->file) || ferror(save->file) || fsync(fileno(save->file)))
		ret = errno ? -errno : -EIO;
	if (fclose(save->file) && !ret)
		ret = -errno;
	if (!ret && rename(save->temporary, save->target))
		ret = -errno;
	if (ret)
		unlink(save->temporary);
	save_unguard(&save->before);
	return ret ? error_set(err, ret, "cannot be written: %s", strerror(-ret)) : 0;
}

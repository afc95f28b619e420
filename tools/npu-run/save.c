// SPDX-License-Identifier: MIT
/* Writes files that appear whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "save.h"

int save_check(const char *path, struct npu_error *err)
{
	struct stat st;
	char *slash;
	char dir[PATH_MAX];

	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "is not a regular file");
	if (snprintf(dir, sizeof(dir), "%s", path) >= (int)sizeof(dir))
		return error_set(err, -ENAMETOOLONG, "cannot be created: %s",
				 strerror(ENAMETOOLONG));
	slash = strrchr(dir, '/');
	if (!slash)
		strcpy(dir, ".");
	else
		slash[slash == dir] = '\0';
	if (access(dir, W_OK | X_OK))
		return error_set(err, -errno, "cannot be created in %s: %s", dir, strerror(errno));
	return 0;
}

static FILE *open_new(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");

	if (fd >= 0 && !file) {
		int why = errno;

		close(fd);
		unlink(path);
		errno = why;
	}
	return file;
}

int save_begin(struct save *save, const char *path, struct npu_error *err)
{
	sigset_t deadly;
	int ret = save_check(path, err);

	if (ret)
		return ret;
	save->path = path;
	if (snprintf(save->temporary, sizeof(save->temporary), "%s.%ld.tmp", path,
		     (long)getpid()) >= (int)sizeof(save->temporary))
		return error_set(err, -ENAMETOOLONG, "cannot be created: %s",
				 strerror(ENAMETOOLONG));

	sigemptyset(&deadly);
	sigaddset(&deadly, SIGHUP);
	sigaddset(&deadly, SIGINT);
	sigaddset(&deadly, SIGPIPE);
	sigaddset(&deadly, SIGTERM);
	sigprocmask(SIG_BLOCK, &deadly, &save->before);
	save->file = open_new(save->temporary);
	if (save->file) {
		errno = 0;
	} else {
		ret = error_set(err, -errno, "cannot be written: %s", strerror(errno));
		sigprocmask(SIG_SETMASK, &save->before, NULL);
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
	if (!ret && rename(save->temporary, save->path))
		ret = -errno;
	if (ret)
		unlink(save->temporary);
	sigprocmask(SIG_SETMASK, &save->before, NULL);
	return ret ? error_set(err, ret, "cannot be written: %s", strerror(-ret)) : 0;
}

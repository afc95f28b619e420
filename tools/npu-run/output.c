// SPDX-License-Identifier: MIT
/* A text file that appears complete or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "output.h"

int output_open(struct output *output, const char *path, struct npu_error *err)
{
	struct stat st;
	int fd;

	output->path = path;
	output->file = stdout;
	if (!path)
		return 0;
	/* Renaming would replace a device, or fail in the end. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return error_set(err, -EINVAL, "%s: is not a regular file", path);
	if (snprintf(output->temporary, sizeof(output->temporary), "%s.%ld.tmp", path,
		     (long)getpid()) >= (int)sizeof(output->temporary))
		return error_set(err, -ENAMETOOLONG, "%s: %s", path, strerror(ENAMETOOLONG));
	fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	output->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (output->file)
		return 0;
	error_set(err, -errno, "%s: cannot be created: %s", path, strerror(errno));
	if (fd >= 0) {
		close(fd);
		unlink(output->temporary);
	}
	return err->code;
}

int output_commit(struct output *output, struct npu_error *err)
{
	FILE *file = output->file;
	int ret = fflush(file) || ferror(file) ? -errno : 0;

	/* main() looks after standard output. */
	if (!output->path)
		return 0;
	if (!ret && fsync(fileno(file)))
		ret = -errno;
	if (fclose(file) && !ret)
		ret = -errno;
	if (!ret && rename(output->temporary, output->path))
		ret = -errno;
	output->file = NULL;
	if (!ret)
		return 0;
	unlink(output->temporary);
	return error_set(err, ret, "%s: cannot be written: %s", output->path, strerror(-ret));
}

void output_discard(struct output *output)
{
	if (!output->path || !output->file)
		return;
	fclose(output->file);
	unlink(output->temporary);
	output->file = NULL;
}

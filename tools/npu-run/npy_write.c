// SPDX-License-Identifier: MIT
/*
 * Writes .npy files, format 1.0. The data goes to a temporary beside the file and is renamed when
 * it is complete and on the disk. The signals that would end the program wait for the few moments
 * that takes, so that neither an error nor Ctrl-C leaves half a file or a temporary.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "npy.h"

/* The data begins at a multiple of this. */
#define NPY_ALIGN 64

int npy_check_writable(const char *path, struct npu_error *err)
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

static int write_array(FILE *file, enum npy_type type, const void *data, size_t rows, size_t cols)
{
	char text[128];
	int length = snprintf(text, sizeof(text),
			      "{'descr': '%s', 'fortran_order': False, 'shape': (%zu, %zu), }",
			      npy_type_descr(type), rows, cols);
	int padded = (10 + length + 1 + NPY_ALIGN - 1) / NPY_ALIGN * NPY_ALIGN - 10;
	const char prefix[10] = { '\x93', 'N', 'U', 'M',	  'P',
				  'Y',	  1,   0,   (char)padded, (char)(padded >> 8) };

	fwrite(prefix, 1, sizeof(prefix), file);
	fprintf(file, "%-*s\n", padded - 1, text);
	fwrite(data, npy_type_size(type), rows * cols, file);
	return fflush(file) || ferror(file) || fsync(fileno(file)) ? -errno : 0;
}

/* Everything that can fail between opening the temporary and its new name. */
static int write_and_rename(const char *temporary, const char *path, enum npy_type type,
			    const void *data, size_t rows, size_t cols)
{
	FILE *file;
	int ret;
	int fd;

	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return -errno;
	file = fdopen(fd, "wb");
	if (file) {
		ret = write_array(file, type, data, rows, cols);
		if (fclose(file) && !ret)
			ret = -errno;
	} else {
		ret = -errno;
		close(fd);
	}
	if (!ret && rename(temporary, path))
		ret = -errno;
	if (ret)
		unlink(temporary);
	return ret;
}

int npy_write(const char *path, enum npy_type type, const void *data, size_t rows, size_t cols,
	      struct npu_error *err)
{
	sigset_t deadly;
	sigset_t before;
	char temporary[PATH_MAX];
	int ret;

	ret = npy_check_writable(path, err);
	if (ret)
		return ret;
	if (snprintf(temporary, sizeof(temporary), "%s.%ld.tmp", path, (long)getpid()) >=
	    (int)sizeof(temporary))
		return error_set(err, -ENAMETOOLONG, "cannot be created: %s",
				 strerror(ENAMETOOLONG));

	sigemptyset(&deadly);
	sigaddset(&deadly, SIGHUP);
	sigaddset(&deadly, SIGINT);
	sigaddset(&deadly, SIGPIPE);
	sigaddset(&deadly, SIGTERM);
	sigprocmask(SIG_BLOCK, &deadly, &before);
	ret = write_and_rename(temporary, path, type, data, rows, cols);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (ret)
		return error_set(err, ret, "cannot be written: %s", strerror(-ret));
	return 0;
}

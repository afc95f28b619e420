// SPDX-License-Identifier: MIT
/*
 * Opens a file of tensors and gives it back: a file is mapped, a pipe is read to its end. What the
 * bytes mean is the readers' affair.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../error.h"
#include "file.h"

#define FIRST_CHUNK ((size_t)1 << 16)

void npu_file_set_shown(struct npu_file *file, const char *path)
{
	size_t length = strlen(path), room = sizeof(file->shown) - sizeof("...");

	if (length < sizeof(file->shown))
		strcpy(file->shown, path);
	else
		snprintf(file->shown, sizeof(file->shown), "...%s", path + length - room);
}

int npu_file_fail(const struct npu_file *file, struct npu_error *err, int code, const char *fmt,
		  ...)
{
	char text[NPU_ERROR_TEXT];
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return npu_fail(err, code, "%s: %s", file->shown, text);
}

static int map_file(struct npu_file *file, int fd, off_t bytes, struct npu_error *err)
{
	void *map;

	/* Of nothing there is no mapping, and no format either. */
	if (!bytes)
		return 0;
	if ((uintmax_t)bytes > PTRDIFF_MAX)
		return npu_file_fail(file, err, -ENOMEM, "is larger than this process can map");
	map = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return npu_file_fail(file, err, -errno, "cannot be mapped: %s", strerror(errno));
	file->data = map;
	file->bytes = (size_t)bytes;
	return 0;
}

/* Memory grows with what really arrives, and no further than the beginning if that is of no format.
 */
static int read_pipe(struct npu_file *file, int fd, struct npu_error *err)
{
	size_t room = 0;
	ssize_t got;

	file->heap = true;
	do {
		if (file->bytes == room) {
			uint8_t *data;

			if (room && !npu_file_is_known(file))
				break;
			room = room ? 2 * room : FIRST_CHUNK;
			data = realloc((void *)file->data, room);
			if (!data)
				return npu_file_fail(file, err, -ENOMEM,
						     "needs more than %zu bytes: out of memory",
						     file->bytes);
			file->data = data;
		}
		got = read(fd, (uint8_t *)file->data + file->bytes, room - file->bytes);
		if (got > 0)
			file->bytes += got;
	} while (got > 0 || (got < 0 && errno == EINTR));
	if (got < 0)
		return npu_file_fail(file, err, -errno, "cannot be read: %s", strerror(errno));
	return 0;
}

static int load(struct npu_file *file, const char *path, struct npu_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), ret;
	struct stat st;

	if (fd < 0)
		return npu_file_fail(file, err, -errno, "cannot be opened: %s", strerror(errno));
	if (fstat(fd, &st))
		ret = npu_file_fail(file, err, -errno, "cannot be read: %s", strerror(errno));
	else if (S_ISREG(st.st_mode))
		ret = map_file(file, fd, st.st_size, err);
	else if (S_ISFIFO(st.st_mode))
		ret = read_pipe(file, fd, err);
	else if (S_ISDIR(st.st_mode))
		ret = npu_file_fail(file, err, -EISDIR, "cannot be read: %s", strerror(EISDIR));
	else
		ret = npu_file_fail(file, err, -EINVAL, "is neither a file nor a pipe");
	close(fd);
	return ret;
}

int npu_file_open(const char *path, struct npu_file **out, struct npu_error *err)
{
	struct npu_file *file;
	int ret;

	if (!path || !out)
		return npu_fail(err, -EINVAL,
				"npu_file_open: no path or no place for the file given");
	file = calloc(1, sizeof(*file));
	if (!file)
		return npu_fail(err, -ENOMEM, "npu_file_open: no memory to open %s", path);
	npu_file_set_shown(file, path);
	ret = load(file, path, err);
	if (!ret)
		ret = npu_file_parse(file, err);
	if (ret) {
		npu_file_close(file);
		return ret;
	}
	*out = file;
	return 0;
}

void npu_file_close(struct npu_file *file)
{
	if (!file)
		return;
	npu_file_free_entries(file);
	if (file->heap)
		free((void *)file->data);
	else if (file->data)
		munmap((void *)file->data, file->bytes);
	free(file);
}

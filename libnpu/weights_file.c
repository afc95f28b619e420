// SPDX-License-Identifier: MIT
/*
 * Weights in files. A file appears under its name when it is complete and on the disk, or not at
 * all; it is used where it is mapped if the device can, and copied once if it cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend.h"
#include "buffer.h"
#include "weights.h"

/* ---- Saving ----------------------------------------------------------------------------- */

static int cannot(const char *what, const char *path, struct npu_error *err)
{
	return npu_fail(err, -errno, "cannot %s %s: %m", what, path);
}

/*
 * Renaming takes the place of whatever has the name. What is not a file was meant to be written
 * to, which cannot be done in one step.
 */
static int check_target(const char *path, struct npu_error *err)
{
	struct stat st;

	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return npu_fail(err, -EINVAL, "cannot save weights to %s: it is not a file", path);
	return 0;
}

/* Creates a file beside @path, with the permissions that the caller's umask leaves. */
static int create_temporary(const char *path, char **name, struct npu_error *err)
{
	uint64_t number;
	int fd;

	do {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return cannot("name a temporary file beside", path, err);
		if (asprintf(name, "%s.%016" PRIx64, path, number) < 0) {
			*name = NULL;
			return npu_fail(err, -ENOMEM, "no memory to save weights to %s", path);
		}
		fd = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			return fd;
		free(*name);
		*name = NULL;
	} while (errno == EEXIST);
	return cannot("create a file beside", path, err);
}

static int write_all(int fd, const void *data, size_t bytes)
{
	const char *at = data;

	while (bytes) {
		ssize_t done = write(fd, at, bytes);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
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

static int write_image(int fd, const struct npu_weights *weights, const char *path,
		       struct npu_error *err)
{
	struct npu_packed packed = npu_weights_describe(weights);
	struct npu_packed_header header;
	const void *image;
	int ret, end;

	ret = npu_slice_begin_read(&weights->memory, &image, err);
	if (ret)
		return ret;
	npu_packed_sum(image, &packed, &header);
	if (write_all(fd, &header, sizeof(header)) ||
	    write_all(fd, (const char *)image + sizeof(header),
		      packed.offset + packed.bytes - sizeof(header)) ||
	    fsync(fd))
		ret = cannot("write", path, err);
	end = npu_slice_end_read(&weights->memory, ret ? NULL : err);
	return ret ? ret : end;
}

int npu_weights_save(const struct npu_weights *weights, const char *path, struct npu_error *err)
{
	char *temporary = NULL;
	int fd, ret;

	if (!weights || !path)
		return npu_fail(err, -EINVAL, "npu_weights_save: no weights or no path given");
	ret = check_target(path, err);
	if (ret)
		return ret;
	fd = create_temporary(path, &temporary, err);
	if (fd < 0)
		return fd;

	ret = write_image(fd, weights, path, err);
	if (close(fd) && !ret)
		ret = cannot("write", path, err);
	if (!ret && rename(temporary, path))
		ret = cannot("save weights to", path, err);
	if (ret)
		unlink(temporary);
	else
		sync_folder(path);
	free(temporary);
	return ret;
}

/* ---- Opening ---------------------------------------------------------------------------- */

/* Maps a file, whose descriptor is not needed from then on. */
static int map_file(const char *path, struct npu_image *image, struct npu_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), ret = 0;
	struct stat st;
	void *map;

	if (fd < 0)
		return cannot("open", path, err);
	*image = (struct npu_image){ .name = path, .file = true };
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		ret = npu_fail(err, -EINVAL, "cannot open %s: it is not a file", path);
	} else if (!st.st_size) {
		ret = npu_fail(err, -EBADMSG, "%s: not packed weights, it is empty", path);
	} else if ((uintmax_t)st.st_size > PTRDIFF_MAX) {
		ret = npu_fail(err, -ENOMEM, "%s: larger than this process can map", path);
	} else {
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map == MAP_FAILED)
			ret = cannot("map", path, err);
		image->data = map;
		image->bytes = st.st_size;
	}
	close(fd);
	return ret;
}

static int copy_image(struct npu_weights *weights, const struct npu_image *image,
		      struct npu_error *err)
{
	void *to;
	int ret = npu_slice_alloc(weights->dev, image->bytes, &weights->memory, err);

	if (!ret)
		ret = npu_slice_begin_fill(&weights->memory, &to, err);
	if (ret)
		return ret;
	memcpy(to, image->data, image->bytes);
	return npu_slice_end_fill(&weights->memory, err);
}

int npu_weights_open(struct npu_device *dev, const char *path, struct npu_weights **out,
		     struct npu_error *err)
{
	struct npu_weights *weights = NULL;
	struct npu_image image;
	bool adopted = false;
	int ret;

	if (!dev || !path || !out)
		return npu_fail(err, -EINVAL,
				"npu_weights_open: no device, no path or no place for the weights "
				"given");
	ret = map_file(path, &image, err);
	if (ret)
		return ret;
	ret = npu_weights_of_image(dev, &image, &weights, err);
	if (!ret && dev->ops->buffer_adopt) {
		weights->memory.bytes = image.bytes;
		ret = npu_buffer_adopt(dev, (void *)image.data, image.bytes, &weights->memory.buf,
				       err);
		adopted = !ret;
	} else if (!ret) {
		ret = copy_image(weights, &image, err);
	}
	if (!adopted)
		munmap((void *)image.data, image.bytes);
	if (ret) {
		npu_weights_destroy(weights);
		return ret;
	}
	*out = weights;
	return 0;
}

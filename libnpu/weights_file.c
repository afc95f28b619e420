// SPDX-License-Identifier: MIT
/*
 * Weights in files. A file is used where it is mapped if the device can, and copied once if it
 * cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend/backend.h"
#include "buffer.h"
#include "save.h"
#include "weights.h"

/* ---- Saving ----------------------------------------------------------------------------- */

static int write_image(struct npu_save *save, const struct npu_weights *weights,
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
	ret = npu_save_write(save, &header, sizeof(header), err);
	if (!ret)
		ret = npu_save_write(save, (const char *)image + sizeof(header),
				     packed.offset + packed.bytes - sizeof(header), err);
	end = npu_slice_end_read(&weights->memory, ret ? NULL : err);
	return ret ? ret : end;
}

int npu_weights_save(const struct npu_weights *weights, const char *path, struct npu_error *err)
{
	struct npu_save save;
	int ret;

	if (!weights || !path)
		return npu_fail(err, -EINVAL, "npu_weights_save: no weights or no path given");
	ret = npu_save_begin(&save, "weights", path, err);
	if (ret)
		return ret;
	return npu_save_end(&save, write_image(&save, weights, err), err);
}

/* ---- Opening ---------------------------------------------------------------------------- */

static int cannot(const char *what, const char *path, struct npu_error *err)
{
	return npu_fail(err, -errno, "cannot %s %s: %m", what, path);
}

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
		map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (map == MAP_FAILED)
			ret = cannot("map", path, err);
		image->data = map;
		image->bytes = (size_t)st.st_size;
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

// SPDX-License-Identifier: MIT
/*
 * Weights that several devices, contexts or processes use from one place in memory.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "weights.h"

/*
 * A buffer that holds these weights and nothing else: an arena's has other people's, which are not
 * for the one who gets this.
 */
static int copy_alone(const struct npu_weights *weights, struct npu_buffer **out,
		      struct npu_error *err)
{
	struct npu_slice alone = { .bytes = weights->memory.bytes };
	const void *from;
	void *to;
	int ret = npu_buffer_create(weights->dev, alone.bytes, &alone.buf, err);

	if (!ret)
		ret = npu_slice_begin_read(&weights->memory, &from, err);
	if (!ret)
		ret = npu_slice_begin_fill(&alone, &to, err);
	if (!ret) {
		memcpy(to, from, alone.bytes);
		ret = npu_slice_end_fill(&alone, err);
	}
	if (!ret)
		ret = npu_slice_end_read(&weights->memory, err);
	if (ret)
		npu_buffer_destroy(alone.buf);
	else
		*out = alone.buf;
	return ret;
}

int npu_weights_export(const struct npu_weights *weights, int *fd, struct npu_error *err)
{
	struct npu_buffer *copy;
	int ret;

	if (!weights || !fd)
		return npu_fail(err, -EINVAL,
				"npu_weights_export: no weights or no place for the file "
				"descriptor given");
	if (!weights->memory.range)
		return npu_buffer_export(weights->memory.buf, fd, err);
	ret = copy_alone(weights, &copy, err);
	if (ret)
		return ret;
	ret = npu_buffer_export(copy, fd, err);
	npu_buffer_destroy(copy);
	return ret;
}

/* Reads the image in a buffer that somebody else may have made, and may still write to. */
static int read_image(struct npu_buffer *buf, const char *name, struct npu_weights **out,
		      struct npu_error *err)
{
	struct npu_image image = { .bytes = buf->bytes, .name = name };
	void *data;
	int ret, end;

	ret = npu_buffer_begin_access(buf, NPU_ACCESS_READ, 0, buf->bytes, -1, &data, err);
	if (ret)
		return ret;
	image.data = data;
	ret = npu_weights_of_image(buf->dev, &image, out, err);
	end = npu_buffer_end_access(buf, NPU_ACCESS_READ, 0, buf->bytes, ret ? NULL : err);
	if (!ret && end)
		npu_weights_destroy(*out);
	return ret ? ret : end;
}

int npu_weights_import(struct npu_device *dev, int fd, struct npu_weights **out,
		       struct npu_error *err)
{
	struct npu_weights *weights = NULL;
	struct npu_buffer *buf;
	char name[48];
	int ret;

	if (!dev || !out)
		return npu_fail(err, -EINVAL,
				"npu_weights_import: no device or no place for the weights given");
	ret = npu_buffer_import(dev, fd, &buf, err);
	if (ret)
		return ret;
	snprintf(name, sizeof(name), "memory of file descriptor %d", fd);
	ret = read_image(buf, name, &weights, err);
	if (ret) {
		npu_buffer_destroy(buf);
		return ret;
	}
	weights->memory = (struct npu_slice){
		.buf = buf,
		.bytes = weights->offset + weights->bytes,
		.shared = true,
	};
	*out = weights;
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * Buffers: device memory that the CPU can look at in brackets.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend/backend.h"
#include "buffer.h"
#include "claim.h"

static struct npu_buffer *new_buffer(struct npu_device *dev, struct npu_error *err)
{
	struct npu_buffer *buf = calloc(1, dev->ops->buffer_size);

	if (!buf) {
		npu_fail(err, -ENOMEM, "no memory for a buffer object");
		return NULL;
	}
	buf->refs = 1;
	buf->dev = dev;
	return buf;
}

/* Gives a buffer to the caller, or frees it when its init has failed. */
static int hand_out(struct npu_buffer *buf, int ret, struct npu_buffer **out)
{
	if (ret) {
		free(buf);
		return ret;
	}
	npu_ref(&buf->dev->refs);
	*out = buf;
	return 0;
}

int npu_buffer_create(struct npu_device *dev, size_t bytes, struct npu_buffer **out,
		      struct npu_error *err)
{
	size_t page = sysconf(_SC_PAGESIZE);
	struct npu_buffer *buf;

	if (!dev || !out)
		return npu_fail(err, -EINVAL,
				"npu_buffer_create: no device or no place for the "
				"buffer given");
	if (!bytes)
		return npu_fail(err, -EINVAL,
				"npu_buffer_create: a buffer of 0 bytes is asked for");
	if (bytes > SIZE_MAX - page)
		return npu_fail(err, -ENOMEM, "no memory for a buffer of %zu bytes", bytes);

	buf = new_buffer(dev, err);
	if (!buf)
		return -ENOMEM;
	buf->bytes = (bytes + page - 1) / page * page;
	return hand_out(buf, dev->ops->buffer_init(buf, err), out);
}

int npu_buffer_adopt(struct npu_device *dev, void *map, size_t bytes, struct npu_buffer **out,
		     struct npu_error *err)
{
	struct npu_buffer *buf = new_buffer(dev, err);

	if (!buf)
		return -ENOMEM;
	buf->map = map;
	buf->bytes = bytes;
	dev->ops->buffer_adopt(buf);
	return hand_out(buf, 0, out);
}

int npu_buffer_export(struct npu_buffer *buf, int *fd, struct npu_error *err)
{
	if (!buf || !fd)
		return npu_fail(err, -EINVAL,
				"npu_buffer_export: no buffer or no place for the file "
				"descriptor given");
	return buf->dev->ops->buffer_export(buf, fd, err);
}

int npu_buffer_import(struct npu_device *dev, int fd, struct npu_buffer **out,
		      struct npu_error *err)
{
	struct npu_buffer *buf;

	if (!dev || !out)
		return npu_fail(err, -EINVAL,
				"npu_buffer_import: no device or no place for the buffer given");
	if (fd < 0)
		return npu_fail(err, -EBADF, "npu_buffer_import: %d is not a file descriptor", fd);
	buf = new_buffer(dev, err);
	if (!buf)
		return -ENOMEM;
	return hand_out(buf, dev->ops->buffer_import(buf, fd, err), out);
}

void npu_buffer_destroy(struct npu_buffer *buf)
{
	struct npu_device *dev;

	if (!buf || !npu_unref(&buf->refs))
		return;
	dev = buf->dev;
	npu_claim_drop(buf);
	dev->ops->buffer_fini(buf);
	free(buf);
	npu_device_close(dev);
}

size_t npu_buffer_size(const struct npu_buffer *buf)
{
	return buf ? buf->bytes : 0;
}

static int check_range(const struct npu_buffer *buf, unsigned int access, size_t offset,
		       size_t bytes, struct npu_error *err)
{
	const unsigned int all = NPU_ACCESS_READ | NPU_ACCESS_WRITE;

	if (!buf)
		return npu_fail(err, -EINVAL, "access to a buffer: no buffer given");
	if (!access || access & ~all)
		return npu_fail(err, -EINVAL,
				"access 0x%x to a buffer: must be NPU_ACCESS_READ, "
				"NPU_ACCESS_WRITE or both",
				access);
	if (!bytes || offset > buf->bytes || bytes > buf->bytes - offset)
		return npu_fail(err, -EINVAL,
				"access to %zu bytes at offset %zu: not inside the buffer of %zu "
				"bytes",
				bytes, offset, buf->bytes);
	return 0;
}

/* Waits for the device, and makes the range coherent. */
static int open_range(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
		      int64_t deadline, void **data, struct npu_error *err)
{
	int ret = 0;

	if (buf->dev->ops->buffer_begin)
		ret = buf->dev->ops->buffer_begin(buf, access, offset, bytes, deadline, err);
	if (!ret)
		*data = buf->map + offset;
	return ret;
}

/* What moves a buffer must not meet a write access, so these are counted before they wait. */
static void count_writer(struct npu_buffer *buf, unsigned int access, bool begins)
{
	if (!(access & NPU_ACCESS_WRITE))
		return;
	pthread_mutex_lock(&buf->dev->claims_lock);
	if (begins)
		buf->writers++;
	else if (buf->writers)
		buf->writers--;
	pthread_mutex_unlock(&buf->dev->claims_lock);
}

int npu_buffer_begin_access(struct npu_buffer *buf, unsigned int access, size_t offset,
			    size_t bytes, int64_t timeout_ns, void **data, struct npu_error *err)
{
	int64_t deadline = npu_deadline(timeout_ns);
	int ret = check_range(buf, access, offset, bytes, err);

	if (ret)
		return ret;
	if (!data)
		return npu_fail(err, -EINVAL,
				"npu_buffer_begin_access: no place for the data pointer given");
	count_writer(buf, access, true);
	ret = npu_claim_wait(buf, deadline);
	if (!ret)
		ret = open_range(buf, access, offset, bytes, deadline, data, err);
	if (ret)
		count_writer(buf, access, false);
	if (ret == -ETIME)
		return npu_fail(err, ret, "the device still uses the buffer after %" PRId64 " ns",
				timeout_ns);
	return ret;
}

int npu_buffer_begin_step(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			  void **data, struct npu_error *err)
{
	return open_range(buf, access, offset, bytes, NPU_NEVER, data, err);
}

int npu_buffer_end_access(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			  struct npu_error *err)
{
	int ret = check_range(buf, access, offset, bytes, err);

	if (ret)
		return ret;
	count_writer(buf, access, false);
	return npu_buffer_end_step(buf, access, offset, bytes, err);
}

int npu_buffer_end_step(struct npu_buffer *buf, unsigned int access, size_t offset, size_t bytes,
			struct npu_error *err)
{
	if (!buf->dev->ops->buffer_end)
		return 0;
	return buf->dev->ops->buffer_end(buf, access, offset, bytes, err);
}

// SPDX-License-Identifier: MIT
/*
 * Reads IDX files. A file is believed only as far as it has been read: the header may promise any
 * size, so memory grows with what really arrives.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../perceptron/error.h"
#include "idx.h"

#define IDX_TYPE_U8 0x08
#define FIRST_CHUNK ((size_t)1 << 20)
/* Twenty times what Fashion-MNIST has. A compressed file may be a thousand times as large as it is.
 */
#define MOST_BYTES ((size_t)1 << 30)

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int read_failed(gzFile file, struct npu_error *err)
{
	int code = errno;
	int zlib_code;

	gzerror(file, &zlib_code);
	if (zlib_code == Z_ERRNO)
		return error_set(err, -EIO, "cannot be read: %s", strerror(code));
	return error_set(err, -EIO, "is a damaged gzip file");
}

/* Reads @bytes, or fewer where the file ends first; zlib also passes plain files through. */
static int read_some(gzFile file, void *data, size_t bytes, size_t *got, struct npu_error *err)
{
	size_t have = 0;

	while (have < bytes) {
		size_t want = bytes - have < FIRST_CHUNK ? bytes - have : FIRST_CHUNK;
		int n = gzread(file, (uint8_t *)data + have, (unsigned int)want);

		if (n < 0)
			return read_failed(file, err);
		if (n == 0)
			break;
		have += (size_t)n;
	}
	*got = have;
	return 0;
}

static int read_header(gzFile file, unsigned int rank, struct idx *idx, struct npu_error *err)
{
	uint8_t head[4 + 4 * IDX_MAX_RANK];
	size_t size = 4 + 4 * (size_t)rank;
	size_t got;
	int ret;

	ret = read_some(file, head, size, &got, err);
	if (ret)
		return ret;
	if (got < 4 || head[0] || head[1])
		return error_set(err, -EINVAL, "is not an IDX file");
	if (head[2] != IDX_TYPE_U8)
		return error_set(err, -EINVAL, "holds elements of type 0x%02x, not bytes (0x08)",
				 head[2]);
	if (head[3] != rank)
		return error_set(err, -EINVAL, "has %u dimensions where %u are needed", head[3],
				 rank);
	if (got < size)
		return error_set(err, -EINVAL, "ends inside the header");

	idx->rank = rank;
	idx->bytes = 1;
	for (unsigned int i = 0; i < IDX_MAX_RANK; i++) {
		idx->dim[i] = i < rank ? get_be32(head + 4 + 4 * i) : 1;
		if (__builtin_mul_overflow(idx->bytes, (size_t)idx->dim[i], &idx->bytes))
			return error_set(err, -EINVAL, "is too large: its size overflows");
	}
	if (idx->bytes > MOST_BYTES)
		return error_set(err, -EINVAL, "is too large: %zu bytes, at most %zu are read",
				 idx->bytes, MOST_BYTES);
	return 0;
}

static int read_data(gzFile file, struct idx *idx, struct npu_error *err)
{
	size_t room = 0;
	size_t have = 0;
	size_t got;
	int ret;

	do {
		size_t left = idx->bytes - have;
		size_t more = room ? room : FIRST_CHUNK;
		uint8_t *data;

		if (more > left)
			more = left;
		/* One byte above, so that an empty array is an allocation too. */
		data = realloc(idx->data, have + more + 1);
		if (!data)
			return error_set(err, -ENOMEM, "needs %zu bytes: out of memory",
					 have + more);
		idx->data = data;
		room = have + more;
		ret = read_some(file, data + have, more, &got, err);
		if (ret)
			return ret;
		have += got;
		if (have < room)
			return error_set(err, -EINVAL, "ends after %zu of %zu bytes of data", have,
					 idx->bytes);
	} while (have < idx->bytes);

	return 0;
}

/* Anything after the data says that the header and the file do not belong together. */
static int check_end(gzFile file, struct npu_error *err)
{
	uint8_t byte;
	size_t got;
	int ret;

	ret = read_some(file, &byte, 1, &got, err);
	if (ret)
		return ret;
	if (got)
		return error_set(err, -EINVAL, "goes on after its data");
	return 0;
}

int idx_read(const char *path, unsigned int rank, struct idx *idx, struct npu_error *err)
{
	gzFile file;
	int ret;

	memset(idx, 0, sizeof(*idx));
	errno = 0;
	file = gzopen(path, "rb");
	if (!file) {
		int code = errno ? errno : ENOMEM;

		return error_set(err, -code, "cannot be opened: %s", strerror(code));
	}

	ret = read_header(file, rank, idx, err);
	if (!ret)
		ret = read_data(file, idx, err);
	if (!ret)
		ret = check_end(file, err);
	/* Closing tells what reading cannot: a gzip stream that breaks off at its very end. */
	if (gzclose(file) != Z_OK && !ret)
		ret = error_set(err, -EIO, "is a damaged gzip file");
	if (ret)
		idx_free(idx);
	return ret;
}

void idx_free(struct idx *idx)
{
	free(idx->data);
	memset(idx, 0, sizeof(*idx));
}

// SPDX-License-Identifier: MIT
/*
 * Reads .npy files. The header may promise any size, so memory grows with what really arrives, and
 * a short file that claims to be huge costs nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "npy.h"
#include "npy_header.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "arrays are read as they lie in memory: little-endian only"
#endif

#define FIRST_CHUNK ((size_t)1 << 20)
#define MAX_HEADER 65535u

static const uint8_t magic[6] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };

/* Reads @bytes, or says that the file broke off or cannot be read. */
static int read_exactly(FILE *file, void *data, size_t bytes, const char *where,
			struct npu_error *err)
{
	if (fread(data, 1, bytes, file) == bytes)
		return 0;
	if (ferror(file))
		return error_set(err, -EIO, "cannot be read: %s", strerror(errno));
	return error_set(err, -EINVAL, "ends inside the %s", where);
}

/* The fixed part: magic, version, and the length of the header that follows. */
static int read_prefix(FILE *file, uint32_t *length, struct npu_error *err)
{
	uint8_t head[8];
	uint8_t size[4] = { 0 };
	int ret;

	if (fread(head, 1, sizeof(head), file) != sizeof(head) && ferror(file))
		return error_set(err, -EIO, "cannot be read: %s", strerror(errno));
	if (feof(file) || memcmp(head, magic, sizeof(magic)))
		return error_set(err, -EINVAL, "is not an .npy file");
	if (head[6] < 1 || head[6] > 3 || head[7] != 0)
		return error_set(err, -EINVAL, "has .npy format %u.%u; 1.0, 2.0 and 3.0 are read",
				 head[6], head[7]);

	ret = read_exactly(file, size, head[6] == 1 ? 2 : 4, "header", err);
	if (ret)
		return ret;
	*length = size[0] | (uint32_t)size[1] << 8 | (uint32_t)size[2] << 16 |
		  (uint32_t)size[3] << 24;
	if (*length > MAX_HEADER)
		return error_set(err, -EINVAL, "has a header of %u bytes, more than %u", *length,
				 MAX_HEADER);
	return 0;
}

static int read_header(FILE *file, struct npy *npy, struct npu_error *err)
{
	uint32_t length = 0;
	char *text;
	int ret;

	ret = read_prefix(file, &length, err);
	if (ret)
		return ret;
	text = malloc(length + 1);
	if (!text)
		return error_set(err, -ENOMEM, "needs %u bytes: out of memory", length);
	ret = read_exactly(file, text, length, "header", err);
	if (!ret)
		ret = npy_header_parse(text, length, npy, err);
	free(text);
	return ret;
}

static int read_data(FILE *file, struct npy *npy, struct npu_error *err)
{
	size_t bytes = npy->count * npy_type_size(npy->type);
	size_t have = 0;

	do {
		size_t more = have ? have : FIRST_CHUNK;
		size_t got;
		void *data;

		if (more > bytes - have)
			more = bytes - have;
		/* One byte above, so that an empty array is an allocation too. */
		data = realloc(npy->data, have + more + 1);
		if (!data)
			return error_set(err, -ENOMEM, "needs %zu bytes: out of memory", bytes);
		npy->data = data;
		got = fread((uint8_t *)data + have, 1, more, file);
		have += got;
		if (ferror(file))
			return error_set(err, -EIO, "cannot be read: %s", strerror(errno));
		if (got < more)
			return error_set(err, -EINVAL, "ends after %zu of %zu bytes of data", have,
					 bytes);
	} while (have < bytes);

	if (fgetc(file) != EOF)
		return error_set(err, -EINVAL, "goes on after its %zu bytes of data", bytes);
	return 0;
}

int npy_read(const char *path, struct npy *npy, struct npu_error *err)
{
	FILE *file;
	int ret;

	memset(npy, 0, sizeof(*npy));
	file = fopen(path, "rb");
	if (!file)
		return error_set(err, -errno, "cannot be opened: %s", strerror(errno));
	ret = read_header(file, npy, err);
	if (!ret)
		ret = read_data(file, npy, err);
	if (ret)
		npy_free(npy);
	fclose(file);
	return ret;
}

void npy_free(struct npy *npy)
{
	free(npy->data);
	memset(npy, 0, sizeof(*npy));
}

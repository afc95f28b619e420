// SPDX-License-Identifier: MIT
/*
 * Reads .npy files with the library's reader, and keeps what a matmul can be made of: types the
 * library multiplies or scales with, in few dimensions.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <npu_file.h>

#include "error.h"
#include "npy.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "arrays are used as they lie in the file: little-endian only"
#endif

static const struct {
	const char *descr;
	const char *name;
	size_t size;
} types[] = {
	[NPY_INT8] = { "|i1", "int8", 1 },	 [NPY_UINT8] = { "|u1", "uint8", 1 },
	[NPY_INT16] = { "<i2", "int16", 2 },	 [NPY_INT32] = { "<i4", "int32", 4 },
	[NPY_FLOAT16] = { "<f2", "float16", 2 }, [NPY_FLOAT32] = { "<f4", "float32", 4 },
	[NPY_FLOAT64] = { "<f8", "float64", 8 },
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

const char *npy_type_name(enum npy_type type)
{
	return types[type].name;
}

size_t npy_type_size(enum npy_type type)
{
	return types[type].size;
}

const char *npy_type_descr(enum npy_type type)
{
	return types[type].descr;
}

/* As much of a path as the library shows of any. */
#define SHOWN_PATH 64

/* What the library says of a file, without the path in front, which here is the caller's to say. */
static const char *without_path(const char *text, const char *path)
{
	size_t length = strlen(path);
	const char *tail = length > SHOWN_PATH ? path + length - SHOWN_PATH : path;
	const char *found = strstr(text, tail);

	if (!found || strncmp(found + strlen(tail), ": ", 2))
		return text;
	return found + strlen(tail) + 2;
}

static int open_file(const char *path, struct npu_file **file, struct npu_error *err)
{
	struct npu_error why;
	int ret = npu_file_open(path, file, &why);

	if (!ret && strcmp(npu_file_format(*file), "npy")) {
		npu_file_close(*file);
		ret = -EINVAL;
	}
	if (ret == -EINVAL)
		return error_set(err, ret, "is not an .npy file");
	if (ret == -EBADMSG || ret == -ENOTSUP)
		return error_set(err, -EINVAL, "%s", without_path(why.text, path));
	return ret ? error_set(err, ret, "%s", without_path(why.text, path)) : 0;
}

static int find_type(const char *descr, enum npy_type *type, struct npu_error *err)
{
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		if (!strcmp(descr, types[i].descr)) {
			*type = (enum npy_type)i;
			return 0;
		}
	}
	return error_set(err, -EINVAL,
			 "holds elements of type '%s'; int8, uint8, int16, int32, float16, "
			 "float32 and float64 are read",
			 descr);
}

static int copy_array(const struct npu_file *file, struct npy *npy, struct npu_error *err)
{
	const struct npu_file_tensor *tensor = npu_file_tensor(file, 0);
	/* The file is in memory, so that its sizes fit. */
	const size_t bytes = (size_t)tensor->bytes;
	int ret = find_type(tensor->type, &npy->type, err);

	if (ret)
		return ret;
	if (tensor->rank > NPY_MAX_RANK)
		return error_set(err, -EINVAL, "has more than %d dimensions", NPY_MAX_RANK);
	npy->rank = tensor->rank;
	npy->count = (size_t)tensor->elements;
	for (unsigned int i = 0; i < NPY_MAX_RANK; i++)
		npy->dim[i] = (size_t)tensor->shape[i];
	/* One byte above, so that an empty array is an allocation too. */
	npy->data = malloc(bytes + 1);
	if (!npy->data)
		return error_set(err, -ENOMEM, "needs %zu bytes: out of memory", bytes);
	memcpy(npy->data, npu_file_data(file, 0), bytes);
	return 0;
}

int npy_read(const char *path, struct npy *npy, struct npu_error *err)
{
	struct npu_file *file;
	int ret;

	memset(npy, 0, sizeof(*npy));
	ret = open_file(path, &file, err);
	if (ret)
		return ret;
	ret = copy_array(file, npy, err);
	npu_file_close(file);
	return ret;
}

void npy_free(struct npy *npy)
{
	free(npy->data);
	memset(npy, 0, sizeof(*npy));
}

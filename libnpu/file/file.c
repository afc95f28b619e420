// SPDX-License-Identifier: MIT
/*
 * The list of tensors of a file, which the readers of all formats fill, and the values in it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "file.h"

/* ---- Names ------------------------------------------------------------------------------ */

/* Length of the UTF-8 sequence that @text begins with, and its character; 0 if it is none. */
static size_t utf8_character(const uint8_t *text, size_t length, uint32_t *code)
{
	/* Below these a longer sequence says what a shorter one could (RFC 3629). */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t bytes = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;

	if ((text[0] >= 0x80 && text[0] < 0xc0) || text[0] >= 0xf8 || bytes > length)
		return 0;
	*code = bytes == 1 ? text[0] : text[0] & (0x7fu >> bytes);
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	if (*code < least[bytes] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	return bytes;
}

size_t npu_file_bad_text(const char *text, size_t length, const char **what)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t i = 0;

	while (i < length) {
		uint32_t code = 0;
		size_t bytes = utf8_character(at + i, length - i, &code);

		if (!bytes) {
			*what = "what is not UTF-8";
			return i;
		}
		if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
			*what = "a control character";
			return i;
		}
		i += bytes;
	}
	return length;
}

bool npu_file_is_utf8(const char *text, size_t length)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t bytes = 1;
	uint32_t code;

	for (size_t i = 0; i < length && bytes; i += bytes)
		bytes = utf8_character(at + i, length - i, &code);
	return bytes;
}

static int check_name(const struct npu_file *file, const char *name, size_t length,
		      struct npu_error *err)
{
	const char *what;
	size_t bad;

	if (length > NPU_FILE_MAX_NAME)
		return npu_file_fail(file, err, -EBADMSG,
				     "tensor %zu has a name of %zu bytes, more than %d",
				     file->count, length, NPU_FILE_MAX_NAME);
	bad = npu_file_bad_text(name, length, &what);
	if (bad < length)
		return npu_file_fail(file, err, -EBADMSG,
				     "the name of tensor %zu has %s at byte %zu", file->count, what,
				     bad);
	return 0;
}

/* ---- Building the list ------------------------------------------------------------------ */

/* Elements and bytes of a tensor whose shape and type are known. */
static int measure(const struct npu_file *file, const char *name, struct npu_file_entry *entry,
		   struct npu_error *err)
{
	struct npu_file_tensor *tensor = &entry->tensor;
	const struct npu_file_type *type = entry->type;
	uint64_t last = tensor->rank ? tensor->shape[tensor->rank - 1] : 1;
	uint64_t bits;

	if (last % type->block)
		return npu_file_fail(file, err, -EBADMSG,
				     "tensor '%.*s' has rows of %" PRIu64
				     " elements, which are no whole blocks of %u as %s has them",
				     NPU_FILE_SHOWN_NAME, name, last, type->block, type->name);
	tensor->elements = 1;
	for (uint32_t i = 0; i < NPU_FILE_MAX_RANK; i++) {
		if (i >= tensor->rank)
			tensor->shape[i] = 1;
		if (__builtin_mul_overflow(tensor->elements, tensor->shape[i], &tensor->elements))
			goto overflow;
	}
	if (__builtin_mul_overflow(tensor->elements / type->block, (uint64_t)type->bits, &bits) ||
	    bits > UINT64_MAX - 7)
		goto overflow;
	tensor->bytes = (bits + 7) / 8;
	tensor->type = type->name;
	tensor->readable = type->decode != NULL;
	return 0;

overflow:
	if (!name[0])
		return npu_file_fail(file, err, -EBADMSG, "is too large: its size overflows");
	return npu_file_fail(file, err, -EBADMSG, "tensor '%.*s' is too large: its size overflows",
			     NPU_FILE_SHOWN_NAME, name);
}

int npu_file_add(struct npu_file *file, const char *name, size_t length,
		 struct npu_file_entry *entry, struct npu_error *err)
{
	struct npu_file_entry *entries = file->entries;
	char *copy;
	int ret;

	ret = check_name(file, name, length, err);
	if (ret)
		return ret;
	if (file->count == file->room) {
		size_t room = file->room ? 2 * file->room : 16;

		entries = reallocarray(entries, room, sizeof(*entries));
		if (!entries)
			goto no_memory;
		file->entries = entries;
		file->room = room;
	}
	copy = strndup(name, length);
	if (!copy)
		goto no_memory;
	ret = measure(file, copy, entry, err);
	if (ret) {
		free(copy);
		return ret;
	}
	entry->tensor.name = copy;
	entries[file->count++] = *entry;
	return 0;

no_memory:
	return npu_file_fail(file, err, -ENOMEM, "no memory for a list of %zu tensors",
			     file->count + 1);
}

static int compare_offsets(const void *a, const void *b)
{
	const struct npu_file_entry *x = *(struct npu_file_entry *const *)a;
	const struct npu_file_entry *y = *(struct npu_file_entry *const *)b;

	if (x->offset != y->offset)
		return x->offset < y->offset ? -1 : 1;
	return (x->tensor.bytes > y->tensor.bytes) - (x->tensor.bytes < y->tensor.bytes);
}

int npu_file_sort(const struct npu_file *file, struct npu_file_entry ***out, struct npu_error *err)
{
	struct npu_file_entry **order = calloc(file->count + 1, sizeof(*order));

	if (!order)
		return npu_file_fail(file, err, -ENOMEM, "no memory for a list of %zu tensors",
				     file->count);
	for (size_t i = 0; i < file->count; i++)
		order[i] = &file->entries[i];
	qsort(order, file->count, sizeof(*order), compare_offsets);
	*out = order;
	return 0;
}

void npu_file_free_entries(struct npu_file *file)
{
	for (size_t i = 0; i < file->count; i++)
		free((char *)file->entries[i].tensor.name);
	free(file->entries);
	free(file->by_name);
	file->entries = NULL;
	file->by_name = NULL;
	file->count = 0;
	npu_file_free_notes(file);
}

static int compare_names(const void *a, const void *b, void *entries)
{
	const struct npu_file_entry *entry = entries;

	return strcmp(entry[*(const size_t *)a].tensor.name, entry[*(const size_t *)b].tensor.name);
}

int npu_file_index_names(struct npu_file *file, struct npu_error *err)
{
	size_t *order = calloc(file->count + 1, sizeof(*order));

	if (!order)
		return npu_file_fail(file, err, -ENOMEM, "no memory for a list of %zu tensors",
				     file->count);
	file->by_name = order;
	for (size_t i = 0; i < file->count; i++)
		order[i] = i;
	if (file->count > 1)
		qsort_r(order, file->count, sizeof(*order), compare_names, file->entries);
	for (size_t i = 1; i < file->count; i++) {
		if (!compare_names(&order[i - 1], &order[i], file->entries))
			return npu_file_fail(file, err, -EBADMSG, "has two tensors named '%.*s'",
					     NPU_FILE_SHOWN_NAME,
					     file->entries[order[i]].tensor.name);
	}
	return 0;
}

bool npu_file_is_known(const struct npu_file *file)
{
	return npu_file_is_npy(file) || npu_file_is_gguf(file) || npu_file_is_safetensors(file);
}

int npu_file_parse(struct npu_file *file, struct npu_error *err)
{
	int ret;

	if (npu_file_is_npy(file)) {
		file->format = "npy";
		ret = npu_file_parse_npy(file, err);
	} else if (npu_file_is_gguf(file)) {
		file->format = "gguf";
		ret = npu_file_parse_gguf(file, err);
	} else if (npu_file_is_safetensors(file)) {
		file->format = "safetensors";
		ret = npu_file_parse_safetensors(file, err);
	} else {
		return npu_file_fail(file, err, -EINVAL,
				     "is neither an .npy, nor a safetensors, nor a GGUF file");
	}
	return ret ? ret : npu_file_index_names(file, err);
}

/* ---- Reading it ------------------------------------------------------------------------- */

const char *npu_file_format(const struct npu_file *file)
{
	return file->format;
}

size_t npu_file_count(const struct npu_file *file)
{
	return file->count;
}

const struct npu_file_tensor *npu_file_tensor(const struct npu_file *file, size_t index)
{
	return index < file->count ? &file->entries[index].tensor : NULL;
}

size_t npu_file_find(const struct npu_file *file, const char *name)
{
	size_t first = 0, end = file->count;

	while (first < end) {
		size_t middle = first + (end - first) / 2;
		int order = strcmp(name, file->entries[file->by_name[middle]].tensor.name);

		if (!order)
			return file->by_name[middle];
		if (order < 0)
			end = middle;
		else
			first = middle + 1;
	}
	return NPU_FILE_NONE;
}

const void *npu_file_data(const struct npu_file *file, size_t index)
{
	return index < file->count ? file->data + file->entries[index].offset : NULL;
}

static int check_range(const struct npu_file *file, size_t index, uint64_t first, uint64_t count,
		       struct npu_error *err)
{
	const struct npu_file_tensor *tensor = npu_file_tensor(file, index);

	if (!tensor)
		return npu_file_fail(file, err, -EINVAL, "has %zu tensors, so that there is no %zu",
				     file->count, index);
	if (first > tensor->elements || count > tensor->elements - first)
		return npu_file_fail(file, err, -EINVAL,
				     "tensor '%.*s' has %" PRIu64 " elements, not %" PRIu64
				     " from %" PRIu64 " on",
				     NPU_FILE_SHOWN_NAME, tensor->name, tensor->elements, count,
				     first);
	return 0;
}

/* At most all that is wanted of one block, from its element @skip on. */
static size_t read_part(const struct npu_file_type *type, const uint8_t *src, size_t skip,
			size_t count, float *dst)
{
	float values[NPU_FILE_MAX_BLOCK];
	size_t some = type->block - skip < count ? type->block - skip : count;

	type->decode(src, 1, values);
	memcpy(dst, values + skip, some * sizeof(*dst));
	return some;
}

int npu_file_read(const struct npu_file *file, size_t index, uint64_t first, uint64_t count,
		  float *dst, struct npu_error *err)
{
	const struct npu_file_type *type;
	size_t skip, left, blocks;
	const uint8_t *src;
	int ret;

	if (!file || (count && !dst))
		return npu_fail(err, -EINVAL,
				"npu_file_read: no file or no place for the values given");
	ret = check_range(file, index, first, count, err);
	if (ret)
		return ret;
	type = file->entries[index].type;
	if (!type->decode)
		return npu_file_fail(file, err, -ENOTSUP,
				     "tensor '%.*s' is of type %s, which is not read as float: "
				     "convert it first",
				     NPU_FILE_SHOWN_NAME, file->entries[index].tensor.name,
				     type->name);
	if (!count)
		return 0;

	src = file->data + file->entries[index].offset + first / type->block * (type->bits / 8);
	skip = (size_t)(first % type->block);
	/* What @dst has room for. */
	left = (size_t)count;
	if (skip) {
		size_t some = read_part(type, src, skip, left, dst);

		src += type->bits / 8;
		dst += some;
		left -= some;
	}
	blocks = left / type->block;
	type->decode(src, blocks, dst);
	src += blocks * (type->bits / 8);
	dst += blocks * type->block;
	if (left % type->block)
		read_part(type, src, 0, left % type->block, dst);
	return 0;
}

int npu_file_copy(const struct npu_file *file, size_t index, const char *type, uint64_t first,
		  uint64_t count, void *dst, struct npu_error *err)
{
	const struct npu_file_entry *entry;
	size_t bytes;
	int ret;

	if (!file || !type || (count && !dst))
		return npu_fail(err, -EINVAL,
				"npu_file_copy: no file, no type or no place for the values given");
	ret = check_range(file, index, first, count, err);
	if (ret)
		return ret;
	entry = &file->entries[index];
	if (strcmp(type, entry->type->name))
		return npu_file_fail(file, err, -EINVAL, "tensor '%.*s' is of type %s, not %s",
				     NPU_FILE_SHOWN_NAME, entry->tensor.name, entry->type->name,
				     type);
	if (entry->type->block > 1 || entry->type->bits % 8)
		return npu_file_fail(file, err, -ENOTSUP,
				     "tensor '%.*s' is of type %s, whose elements are no bytes by "
				     "themselves",
				     NPU_FILE_SHOWN_NAME, entry->tensor.name, type);
	bytes = entry->type->bits / 8;
	if (count)
		memcpy(dst, file->data + entry->offset + first * bytes, (size_t)count * bytes);
	return 0;
}

// SPDX-License-Identifier: MIT
/*
 * Reads GGUF, the format of ggml: a header, metadata, a list of tensors, and their data. Numbers
 * are little-endian and lie at any address; a string is its length in 64 bits and its bytes.
 *
 *	"GGUF", uint32 version, uint64 tensors, uint64 pairs
 *	for each pair:   string key, uint32 type, value
 *	for each tensor: string name, uint32 rank, uint64 shape[rank], uint32 type, uint64 offset
 *	filler up to the alignment, then the data that the offsets count from
 *
 * Of the metadata only the alignment is needed; the rest is skipped, with no more trust.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"

#define DEFAULT_ALIGNMENT 32
#define SMALLEST_PAIR (8 + 4 + 1)
#define SMALLEST_TENSOR (8 + 4 + 4 + 8)

/* Arrays of arrays may be this deep; models have none. */
#define MAX_DEPTH 8

enum value_type {
	VALUE_UINT8,
	VALUE_INT8,
	VALUE_UINT16,
	VALUE_INT16,
	VALUE_UINT32,
	VALUE_INT32,
	VALUE_FLOAT32,
	VALUE_BOOL,
	VALUE_STRING,
	VALUE_ARRAY,
	VALUE_UINT64,
	VALUE_INT64,
	VALUE_FLOAT64,
	VALUE_TYPES,
};

static const uint8_t value_bytes[VALUE_TYPES] = {
	[VALUE_UINT8] = 1,  [VALUE_INT8] = 1,  [VALUE_UINT16] = 2,  [VALUE_INT16] = 2,
	[VALUE_UINT32] = 4, [VALUE_INT32] = 4, [VALUE_FLOAT32] = 4, [VALUE_BOOL] = 1,
	[VALUE_UINT64] = 8, [VALUE_INT64] = 8, [VALUE_FLOAT64] = 8,
};

/* By ggml's numbers. Those without a name were withdrawn, or are never in files. */
static const struct npu_file_type types[] = {
	[0] = { "F32", 1, 32, npu_file_decode_f32 },
	[1] = { "F16", 1, 16, npu_file_decode_f16 },
	[2] = { "Q4_0", 32, 8 * 18, npu_file_decode_q4_0 },
	[3] = { "Q4_1", 32, 8 * 20, npu_file_decode_q4_1 },
	[6] = { "Q5_0", 32, 8 * 22, NULL },
	[7] = { "Q5_1", 32, 8 * 24, NULL },
	[8] = { "Q8_0", 32, 8 * 34, npu_file_decode_q8_0 },
	[10] = { "Q2_K", 256, 8 * 84, NULL },
	[11] = { "Q3_K", 256, 8 * 110, NULL },
	[12] = { "Q4_K", 256, 8 * 144, npu_file_decode_q4_k },
	[13] = { "Q5_K", 256, 8 * 176, NULL },
	[14] = { "Q6_K", 256, 8 * 210, npu_file_decode_q6_k },
	[16] = { "IQ2_XXS", 256, 8 * 66, NULL },
	[17] = { "IQ2_XS", 256, 8 * 74, NULL },
	[18] = { "IQ3_XXS", 256, 8 * 98, NULL },
	[19] = { "IQ1_S", 256, 8 * 50, NULL },
	[20] = { "IQ4_NL", 32, 8 * 18, NULL },
	[21] = { "IQ3_S", 256, 8 * 110, NULL },
	[22] = { "IQ2_S", 256, 8 * 82, NULL },
	[23] = { "IQ4_XS", 256, 8 * 136, NULL },
	[24] = { "I8", 1, 8, npu_file_decode_i8 },
	[25] = { "I16", 1, 16, npu_file_decode_i16 },
	[26] = { "I32", 1, 32, npu_file_decode_i32 },
	[27] = { "I64", 1, 64, NULL },
	[28] = { "F64", 1, 64, npu_file_decode_f64 },
	[29] = { "IQ1_M", 256, 8 * 56, NULL },
	[30] = { "BF16", 1, 16, npu_file_decode_bf16 },
	[34] = { "TQ1_0", 256, 8 * 54, NULL },
	[35] = { "TQ2_0", 256, 8 * 66, NULL },
	[39] = { "MXFP4", 32, 8 * 17, NULL },
};

/* Where reading is; @at is never above @file->bytes. */
struct cursor {
	struct npu_file *file;
	size_t at;
	struct npu_error *err;
};

/* A string in the file, not ended by a NUL. */
struct span {
	const char *text;
	size_t length;
};

static int damaged(struct cursor *c, const char *what)
{
	return npu_file_fail(c->file, c->err, -EBADMSG, "%s at byte %zu", what, c->at);
}

/* ---- Numbers and strings ---------------------------------------------------------------- */

/* The next @bytes bytes, or NULL if there are not so many. */
static const uint8_t *take(struct cursor *c, uint64_t bytes)
{
	const uint8_t *data = c->file->data + c->at;

	if (bytes > c->file->bytes - c->at)
		return NULL;
	c->at += (size_t)bytes;
	return data;
}

static int take_u32(struct cursor *c, const char *what, uint32_t *value)
{
	const uint8_t *data = take(c, sizeof(*value));

	if (!data)
		return npu_file_fail(c->file, c->err, -EBADMSG, "ends inside %s", what);
	*value = npu_file_u32(data);
	return 0;
}

static int take_u64(struct cursor *c, const char *what, uint64_t *value)
{
	const uint8_t *data = take(c, sizeof(*value));

	if (!data)
		return npu_file_fail(c->file, c->err, -EBADMSG, "ends inside %s", what);
	*value = npu_file_u64(data);
	return 0;
}

static int take_string(struct cursor *c, const char *what, struct span *span)
{
	uint64_t length;
	int ret = take_u64(c, what, &length);

	if (ret)
		return ret;
	span->text = (const char *)take(c, length);
	span->length = (size_t)length;
	if (!span->text)
		return npu_file_fail(c->file, c->err, -EBADMSG,
				     "ends inside %s, which is to have %" PRIu64 " bytes", what,
				     length);
	return 0;
}

/* ---- Metadata --------------------------------------------------------------------------- */

/* An array that is being skipped: elements that are still to come, and their type. */
struct array {
	uint64_t left;
	uint32_t type;
};

static int begin_array(struct cursor *c, struct array *stack, int *depth)
{
	struct array *array = &stack[*depth];
	int ret = take_u32(c, "an array", &array->type);

	if (!ret)
		ret = take_u64(c, "an array", &array->left);
	if (ret)
		return ret;
	if (++*depth == MAX_DEPTH)
		return damaged(c, "arrays within arrays are too deep");
	return 0;
}

/*
 * Skips what @array holds if that can be done in one step, or its next element. Whatever it is, it
 * takes bytes of the file, or it ends an array.
 */
static int skip_some(struct cursor *c, struct array *stack, int *depth)
{
	struct array *array = &stack[*depth - 1];
	struct span span;
	uint64_t bytes;

	if (!array->left) {
		--*depth;
		return 0;
	}
	if (array->type == VALUE_STRING) {
		array->left--;
		return take_string(c, "a string", &span);
	}
	if (array->type == VALUE_ARRAY) {
		array->left--;
		return begin_array(c, stack, depth);
	}
	if (array->type >= VALUE_TYPES)
		return damaged(c, "a value of no known type ends");
	if (__builtin_mul_overflow(array->left, (uint64_t)value_bytes[array->type], &bytes) ||
	    !take(c, bytes))
		return damaged(c, "values go on behind the end of the file");
	array->left = 0;
	return 0;
}

/* A value is skipped as an array of one. */
static int skip_value(struct cursor *c, uint32_t type)
{
	struct array stack[MAX_DEPTH] = { { .left = 1, .type = type } };
	int depth = 1, ret = 0;

	while (depth && !ret)
		ret = skip_some(c, stack, &depth);
	return ret;
}

static bool is_key(const struct span *key, const char *name)
{
	return key->length == strlen(name) && !memcmp(key->text, name, key->length);
}

static int read_alignment(struct cursor *c, uint32_t type, uint32_t *alignment)
{
	int ret;

	if (type != VALUE_UINT32)
		return damaged(c, "general.alignment is no uint32");
	ret = take_u32(c, "general.alignment", alignment);
	if (ret)
		return ret;
	if (!*alignment || *alignment % 8)
		return npu_file_fail(c->file, c->err, -EBADMSG,
				     "general.alignment is %u, which is no multiple of 8",
				     *alignment);
	return 0;
}

static int skip_metadata(struct cursor *c, uint64_t pairs, uint32_t *alignment)
{
	bool seen = false;

	if (pairs > (c->file->bytes - c->at) / SMALLEST_PAIR)
		return npu_file_fail(c->file, c->err, -EBADMSG,
				     "is to have %" PRIu64 " pairs of metadata, more than fit into "
				     "it",
				     pairs);
	for (uint64_t i = 0; i < pairs; i++) {
		const char *what;
		struct span key;
		uint32_t type;
		int ret;

		ret = take_string(c, "a key", &key);
		if (ret)
			return ret;
		if (!key.length || npu_file_bad_text(key.text, key.length, &what) < key.length)
			return damaged(c, "a key of metadata that is no text ends");
		ret = take_u32(c, "a value", &type);
		if (ret)
			return ret;
		if (!is_key(&key, "general.alignment"))
			ret = skip_value(c, type);
		else if (seen)
			ret = damaged(c, "general.alignment is there a second time");
		else
			ret = read_alignment(c, type, alignment);
		if (ret)
			return ret;
		seen |= is_key(&key, "general.alignment");
	}
	return 0;
}

/* ---- Tensors ---------------------------------------------------------------------------- */

/* The file has the dimension whose elements lie side by side first, the list has it last. */
static int read_shape(struct cursor *c, struct npu_file_tensor *tensor)
{
	int ret = take_u32(c, "a tensor's rank", &tensor->rank);

	if (ret)
		return ret;
	if (tensor->rank > NPU_FILE_MAX_RANK)
		return npu_file_fail(c->file, c->err, -EBADMSG,
				     "tensor %zu has %u dimensions, more than %d", c->file->count,
				     tensor->rank, NPU_FILE_MAX_RANK);
	for (uint32_t i = tensor->rank; i-- && !ret;)
		ret = take_u64(c, "a tensor's shape", &tensor->shape[i]);
	return ret;
}

static int read_tensor(struct cursor *c)
{
	struct npu_file_entry entry = { .offset = 0 };
	struct span name;
	uint32_t number;
	int ret;

	ret = take_string(c, "a tensor's name", &name);
	if (!ret && !name.length)
		ret = damaged(c, "a tensor without a name");
	if (!ret)
		ret = read_shape(c, &entry.tensor);
	if (!ret)
		ret = take_u32(c, "a tensor's type", &number);
	if (ret)
		return ret;
	if (number >= sizeof(types) / sizeof(types[0]) || !types[number].name)
		return npu_file_fail(c->file, c->err, -ENOTSUP,
				     "tensor %zu is of type %u, which is not known", c->file->count,
				     number);
	entry.type = &types[number];
	ret = take_u64(c, "a tensor's offset", &entry.offset);
	if (ret)
		return ret;
	return npu_file_add(c->file, name.text, name.length, &entry, c->err);
}

/* No byte may belong to two tensors. */
static int check_overlap(struct cursor *c)
{
	struct npu_file_entry **order;
	int ret = npu_file_sort(c->file, &order, c->err);

	if (ret)
		return ret;
	for (size_t i = 1; i < c->file->count && !ret; i++) {
		const struct npu_file_entry *one = order[i - 1], *two = order[i];

		if (two->offset - one->offset < one->tensor.bytes)
			ret = npu_file_fail(c->file, c->err, -EBADMSG,
					    "tensors '%.*s' and '%.*s' overlap",
					    NPU_FILE_SHOWN_NAME, one->tensor.name,
					    NPU_FILE_SHOWN_NAME, two->tensor.name);
	}
	free(order);
	return ret;
}

/* From offsets into the data to offsets into the file. */
static int place_tensors(struct cursor *c, uint32_t alignment)
{
	uint64_t filler = (alignment - c->at % alignment) % alignment;
	uint64_t have = c->file->bytes - c->at;

	have = have > filler ? have - filler : 0;
	for (size_t i = 0; i < c->file->count; i++) {
		struct npu_file_entry *entry = &c->file->entries[i];
		const struct npu_file_tensor *tensor = &entry->tensor;

		if (entry->offset % alignment)
			return npu_file_fail(c->file, c->err, -EBADMSG,
					     "tensor '%.*s' is at %" PRIu64
					     " of the data, which is no multiple of %u",
					     NPU_FILE_SHOWN_NAME, tensor->name, entry->offset,
					     alignment);
		if (entry->offset > have || tensor->bytes > have - entry->offset)
			return npu_file_fail(c->file, c->err, -EBADMSG,
					     "tensor '%.*s' has %" PRIu64 " bytes at %" PRIu64
					     " of the data, of which there are %" PRIu64,
					     NPU_FILE_SHOWN_NAME, tensor->name, tensor->bytes,
					     entry->offset, have);
		entry->offset += have ? c->at + filler : c->at;
	}
	return check_overlap(c);
}

/* ---- The file --------------------------------------------------------------------------- */

bool npu_file_is_gguf(const struct npu_file *file)
{
	return file->bytes >= 4 && !memcmp(file->data, "GGUF", 4);
}

static int check_version(struct cursor *c)
{
	uint32_t version;
	int ret = take_u32(c, "the header", &version);

	if (ret)
		return ret;
	/* Its low half is empty only if the bytes are the other way round. */
	if (version && !(version & 0xffff))
		return npu_file_fail(c->file, c->err, -ENOTSUP,
				     "is big-endian: convert it to little-endian");
	if (version < 2 || version > 3)
		return npu_file_fail(c->file, c->err, -ENOTSUP,
				     "has GGUF version %u; 2 and 3 are read", version);
	return 0;
}

int npu_file_parse_gguf(struct npu_file *file, struct npu_error *err)
{
	struct cursor c = { .file = file, .at = 4, .err = err };
	uint32_t alignment = DEFAULT_ALIGNMENT;
	uint64_t tensors, pairs;
	int ret;

	ret = check_version(&c);
	if (!ret)
		ret = take_u64(&c, "the header", &tensors);
	if (!ret)
		ret = take_u64(&c, "the header", &pairs);
	if (!ret)
		ret = skip_metadata(&c, pairs, &alignment);
	if (ret)
		return ret;
	if (tensors > (file->bytes - c.at) / SMALLEST_TENSOR)
		return npu_file_fail(file, err, -EBADMSG,
				     "is to have %" PRIu64 " tensors, more than fit into it",
				     tensors);
	for (uint64_t i = 0; i < tensors && !ret; i++)
		ret = read_tensor(&c);
	return ret ? ret : place_tensors(&c, alignment);
}

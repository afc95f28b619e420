// SPDX-License-Identifier: MIT
/*
 * Reads safetensors, the format of Hugging Face: the length of a header in 64 bits, a header in
 * JSON, and data without gaps.
 *
 *	{"__metadata__": {"text": "text"},
 *	 "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
 *
 * Offsets count from the end of the header. Every byte of the data belongs to one tensor.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define LENGTH_BYTES 8

static const struct npu_file_type types[] = {
	{ "F32", 1, 32, npu_file_decode_f32 },
	{ "F16", 1, 16, npu_file_decode_f16 },
	{ "BF16", 1, 16, npu_file_decode_bf16 },
	{ "F64", 1, 64, npu_file_decode_f64 },
	{ "I8", 1, 8, npu_file_decode_i8 },
	{ "U8", 1, 8, npu_file_decode_u8 },
	{ "I16", 1, 16, npu_file_decode_i16 },
	{ "U16", 1, 16, npu_file_decode_u16 },
	{ "I32", 1, 32, npu_file_decode_i32 },
	{ "U32", 1, 32, NULL },
	{ "I64", 1, 64, NULL },
	{ "U64", 1, 64, NULL },
	{ "BOOL", 1, 8, NULL },
	{ "C64", 1, 64, NULL },
	{ "F8_E5M2", 1, 8, NULL },
	{ "F8_E4M3", 1, 8, NULL },
	{ "F8_E8M0", 1, 8, NULL },
	{ "F6_E2M3", 1, 6, NULL },
	{ "F6_E3M2", 1, 6, NULL },
	{ "F4", 1, 4, NULL },
};

/* A tensor as the header has it, and which of its entries have been there. */
struct info {
	bool has_type;
	bool has_shape;
	bool has_offsets;
	struct npu_file_entry entry;
	uint64_t end;
};

const struct npu_file_type *npu_safetensors_type(const char *name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strcmp(name, types[i].name))
			return &types[i];
	return NULL;
}

/* ---- Header ----------------------------------------------------------------------------- */

static int parse_type(struct npu_json *json, struct info *info)
{
	char text[32];
	int ret = npu_json_string(json, text, sizeof(text));

	if (ret)
		return ret;
	info->entry.type = npu_safetensors_type(text);
	if (info->entry.type)
		return 0;
	return npu_file_fail(json->file, json->err, -ENOTSUP,
			     "tensor %zu is of a type that is not known", json->file->count);
}

static int parse_shape(struct npu_json *json, struct info *info)
{
	struct npu_file_tensor *tensor = &info->entry.tensor;
	int ret = npu_json_expect(json, '[');

	if (ret || npu_json_accept(json, ']'))
		return ret;
	do {
		if (tensor->rank == NPU_FILE_MAX_RANK)
			return npu_file_fail(json->file, json->err, -ENOTSUP,
					     "tensor %zu has more than %d dimensions",
					     json->file->count, NPU_FILE_MAX_RANK);
		ret = npu_json_number(json, &tensor->shape[tensor->rank++]);
	} while (!ret && npu_json_accept(json, ','));
	return ret ? ret : npu_json_expect(json, ']');
}

static int parse_offsets(struct npu_json *json, struct info *info)
{
	int ret = npu_json_expect(json, '[');

	if (!ret)
		ret = npu_json_number(json, &info->entry.offset);
	if (!ret)
		ret = npu_json_expect(json, ',');
	if (!ret)
		ret = npu_json_number(json, &info->end);
	return ret ? ret : npu_json_expect(json, ']');
}

static int parse_info_entry(struct npu_json *json, struct info *info)
{
	char key[32];
	typeof(parse_shape) *parse_value;
	bool *seen;
	int ret;

	ret = npu_json_string(json, key, sizeof(key));
	if (ret)
		return ret;
	if (!strcmp(key, "dtype")) {
		seen = &info->has_type;
		parse_value = parse_type;
	} else if (!strcmp(key, "shape")) {
		seen = &info->has_shape;
		parse_value = parse_shape;
	} else if (!strcmp(key, "data_offsets")) {
		seen = &info->has_offsets;
		parse_value = parse_offsets;
	} else {
		return npu_json_fail(json, "an unknown entry");
	}
	if (*seen)
		return npu_json_fail(json, "an entry that was there before");
	*seen = true;
	ret = npu_json_expect(json, ':');
	return ret ? ret : parse_value(json, info);
}

static int parse_info(struct npu_json *json, struct info *info)
{
	int ret = npu_json_expect(json, '{');

	if (ret)
		return ret;
	do {
		ret = parse_info_entry(json, info);
	} while (!ret && npu_json_accept(json, ','));
	if (!ret)
		ret = npu_json_expect(json, '}');
	if (!ret && (!info->has_type || !info->has_shape || !info->has_offsets))
		ret = npu_json_fail(json, "no 'dtype', 'shape' or 'data_offsets'");
	return ret;
}

static int parse_member(struct npu_json *json, struct npu_file *file, bool *metadata)
{
	char name[NPU_FILE_MAX_NAME + 1];
	struct info info = { .has_type = false };
	const struct npu_file_tensor *tensor;
	int ret;

	ret = npu_json_string(json, name, sizeof(name));
	if (!ret && !name[0])
		ret = npu_json_fail(json, "a tensor without a name");
	if (!ret)
		ret = npu_json_expect(json, ':');
	if (ret)
		return ret;
	if (!strcmp(name, NPU_SAFETENSORS_NOTES)) {
		if (*metadata)
			return npu_json_fail(json, "a second __metadata__");
		*metadata = true;
		return npu_file_parse_notes(json, file);
	}
	ret = parse_info(json, &info);
	if (!ret)
		ret = npu_file_add(file, name, strlen(name), &info.entry, json->err);
	if (ret)
		return ret;
	tensor = &file->entries[file->count - 1].tensor;
	if (info.end < info.entry.offset || info.end - info.entry.offset != tensor->bytes)
		return npu_file_fail(file, json->err, -EBADMSG,
				     "tensor '%.*s' has the bytes %" PRIu64 " to %" PRIu64
				     ", but its shape and type take %" PRIu64,
				     NPU_FILE_SHOWN_NAME, name, info.entry.offset, info.end,
				     tensor->bytes);
	return 0;
}

static int parse_header(struct npu_json *json, struct npu_file *file)
{
	bool metadata = false;
	int ret = npu_json_expect(json, '{');

	if (ret)
		return ret;
	if (!npu_json_accept(json, '}')) {
		do {
			ret = parse_member(json, file, &metadata);
		} while (!ret && npu_json_accept(json, ','));
		if (!ret)
			ret = npu_json_expect(json, '}');
	}
	if (ret)
		return ret;
	npu_json_skip_space(json);
	return json->at == json->end ? 0 : npu_json_fail(json, "something after the '}'");
}

/* ---- Data ------------------------------------------------------------------------------- */

/* In order of place, each tensor has to begin where the one before it ended. */
static int check_order(const struct npu_file *file, struct npu_file_entry *const *order,
		       uint64_t have, struct npu_error *err)
{
	uint64_t end = 0;

	for (size_t i = 0; i < file->count; i++) {
		const struct npu_file_entry *entry = order[i];

		if (entry->offset != end)
			return npu_file_fail(file, err, -EBADMSG,
					     "tensor '%.*s' begins at %" PRIu64
					     " of the data, but what is before it ends at %" PRIu64,
					     NPU_FILE_SHOWN_NAME, entry->tensor.name, entry->offset,
					     end);
		if (entry->tensor.bytes > have - end)
			return npu_file_fail(file, err, -EBADMSG,
					     "tensor '%.*s' has %" PRIu64 " bytes at %" PRIu64
					     " of the data, of which there are %" PRIu64,
					     NPU_FILE_SHOWN_NAME, entry->tensor.name,
					     entry->tensor.bytes, entry->offset, have);
		end += entry->tensor.bytes;
	}
	if (end != have)
		return npu_file_fail(file, err, -EBADMSG,
				     "has %" PRIu64 " bytes of data, but tensors for %" PRIu64,
				     have, end);
	return 0;
}

/* From offsets into the data, which begins at @start, to offsets into the file. */
static int place_tensors(struct npu_file *file, uint64_t start, struct npu_error *err)
{
	struct npu_file_entry **order;
	int ret = npu_file_sort(file, &order, err);

	if (ret)
		return ret;
	ret = check_order(file, order, file->bytes - start, err);
	for (size_t i = 0; i < file->count; i++)
		file->entries[i].offset += start;
	free(order);
	return ret;
}

bool npu_file_is_safetensors(const struct npu_file *file)
{
	return file->bytes > LENGTH_BYTES && file->data[LENGTH_BYTES] == '{';
}

int npu_file_parse_safetensors(struct npu_file *file, struct npu_error *err)
{
	struct npu_json json = { .file = file, .err = err };
	uint64_t length = npu_file_u64(file->data);
	int ret;

	if (length > NPU_SAFETENSORS_MAX_HEADER)
		return npu_file_fail(file, err, -EBADMSG,
				     "has a header of %" PRIu64 " bytes, more than %u", length,
				     NPU_SAFETENSORS_MAX_HEADER);
	if (length > file->bytes - LENGTH_BYTES)
		return npu_file_fail(file, err, -EBADMSG, "ends inside the header");
	json.start = json.at = (const char *)file->data + LENGTH_BYTES;
	json.end = json.start + length;
	ret = parse_header(&json, file);
	return ret ? ret : place_tensors(file, LENGTH_BYTES + length, err);
}

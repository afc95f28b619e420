// SPDX-License-Identifier: MIT
/*
 * Writes safetensors. What is to be written is put into the same list that the readers fill, so
 * that names and sizes are held to the same rules; safetensors.c has the format.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "../save.h"
#include "file.h"

/* The data begin at a multiple of this, so that a mapped file can be used where it is. */
#define ALIGN 8

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "data are written as they are in memory");

/* ---- What is to be written -------------------------------------------------------------- */

static int check_type(const struct npu_file *file, const struct npu_safetensors_entry *tensor,
		      struct npu_error *err)
{
	static const char *const written[] = { "F32", "F16", "BF16", "I8", "U8",
					       "I16", "U16", "I32",  "I64" };

	for (size_t i = 0; tensor->type && i < sizeof(written) / sizeof(written[0]); i++)
		if (!strcmp(tensor->type, written[i]))
			return 0;
	return npu_file_fail(file, err, -EINVAL,
			     "tensor '%.*s' is to have the type '%.16s', which is not F32, F16, "
			     "BF16, I8, U8, I16, U16, I32 or I64",
			     NPU_FILE_SHOWN_NAME, tensor->name, tensor->type ? tensor->type : "");
}

static int add_tensor(struct npu_file *file, const struct npu_safetensors_entry *tensor,
		      struct npu_error *err)
{
	struct npu_file_entry entry = { .tensor.rank = tensor->rank };
	int ret;

	if (!tensor->name || !tensor->name[0] || !strcmp(tensor->name, NPU_SAFETENSORS_NOTES))
		return npu_file_fail(file, err, -EINVAL, "tensor %zu has %s", file->count,
				     tensor->name && tensor->name[0]
					     ? "the name " NPU_SAFETENSORS_NOTES
					       ", which is that of the notes"
					     : "no name");
	ret = check_type(file, tensor, err);
	if (ret)
		return ret;
	if (tensor->rank > NPU_FILE_MAX_RANK)
		return npu_file_fail(file, err, -EINVAL,
				     "tensor '%.*s' has %" PRIu32 " dimensions, more than %d",
				     NPU_FILE_SHOWN_NAME, tensor->name, tensor->rank,
				     NPU_FILE_MAX_RANK);
	entry.type = npu_safetensors_type(tensor->type);
	memcpy(entry.tensor.shape, tensor->shape, tensor->rank * sizeof(tensor->shape[0]));
	ret = npu_file_add(file, tensor->name, strlen(tensor->name), &entry, err);
	if (ret)
		return ret;
	if (file->entries[file->count - 1].tensor.bytes && !tensor->data)
		return npu_file_fail(file, err, -EINVAL, "tensor '%.*s' has no data",
				     NPU_FILE_SHOWN_NAME, tensor->name);
	return 0;
}

static int check_notes(const struct npu_file *file, const struct npu_safetensors_note *notes,
		       size_t count, struct npu_error *err)
{
	for (size_t i = 0; i < count; i++) {
		const char *key = notes[i].key, *value = notes[i].value;

		if (!key || !value || !npu_file_is_utf8(key, strlen(key)) ||
		    !npu_file_is_utf8(value, strlen(value)))
			return npu_file_fail(file, err, -EINVAL,
					     "note %zu has a key or a value that is %s", i,
					     key && value ? "not UTF-8" : "missing");
	}
	return 0;
}

/* As npu_file_sort_notes(), on a copy that is sorted in place of the caller's. */
static int check_keys(struct npu_file *file, const struct npu_safetensors_note *notes, size_t count,
		      struct npu_error *err)
{
	if (!count)
		return 0;
	file->notes = reallocarray(NULL, count, sizeof(*notes));
	if (!file->notes)
		return npu_file_fail(file, err, -ENOMEM, "no memory for %zu notes", count);
	memcpy(file->notes, notes, count * sizeof(*notes));
	file->note_count = count;
	return npu_file_sort_notes(file, err);
}

/*
 * Gives each tensor its place in the data: large elements first, so that all are aligned without
 * gaps, which the format has none of.
 */
static int place_tensors(struct npu_file *file, struct npu_error *err)
{
	uint64_t at = 0;

	for (unsigned int bits = 64; bits >= 8; bits /= 2) {
		for (size_t i = 0; i < file->count; i++) {
			struct npu_file_entry *entry = &file->entries[i];

			if (entry->type->bits != bits)
				continue;
			entry->offset = at;
			if (entry->tensor.bytes > PTRDIFF_MAX ||
			    __builtin_add_overflow(at, entry->tensor.bytes, &at))
				return npu_file_fail(file, err, -EINVAL,
						     "is too large: the size of all tensors "
						     "overflows");
		}
	}
	return 0;
}

/* ---- Header ----------------------------------------------------------------------------- */

static void put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", *text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void put_notes(FILE *out, const struct npu_safetensors_note *notes, size_t count)
{
	put_string(out, NPU_SAFETENSORS_NOTES);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? "," : ":{", out);
		put_string(out, notes[i].key);
		fputc(':', out);
		put_string(out, notes[i].value);
	}
	fputc('}', out);
}

static void put_tensor(FILE *out, const struct npu_file_entry *entry)
{
	const struct npu_file_tensor *tensor = &entry->tensor;

	put_string(out, tensor->name);
	fprintf(out, ":{\"dtype\":\"%s\",\"shape\":[", tensor->type);
	for (uint32_t i = 0; i < tensor->rank; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", tensor->shape[i]);
	fprintf(out, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", entry->offset,
		entry->offset + tensor->bytes);
}

/* The length and all of the JSON, filled up with spaces as the format allows. The caller frees. */
static int make_header(const struct npu_file *file, const struct npu_safetensors_note *notes,
		       size_t n_notes, char **header, size_t *bytes, struct npu_error *err)
{
	uint64_t length = 0;
	FILE *out = open_memstream(header, bytes);
	bool failed;

	if (!out)
		return npu_file_fail(file, err, -ENOMEM, "no memory for a header");
	fwrite(&length, sizeof(length), 1, out);
	fputc('{', out);
	if (n_notes)
		put_notes(out, notes, n_notes);
	for (size_t i = 0; i < file->count; i++) {
		if (i || n_notes)
			fputc(',', out);
		put_tensor(out, &file->entries[i]);
	}
	fputc('}', out);
	while (!ferror(out) && ftell(out) % ALIGN)
		fputc(' ', out);
	failed = ferror(out);
	if (fclose(out) || failed)
		return npu_file_fail(file, err, -ENOMEM, "no memory for a header");
	length = *bytes - sizeof(length);
	memcpy(*header, &length, sizeof(length));
	if (length > NPU_SAFETENSORS_MAX_HEADER)
		return npu_file_fail(file, err, -EINVAL,
				     "needs a header of %" PRIu64 " bytes, more than %u", length,
				     NPU_SAFETENSORS_MAX_HEADER);
	return 0;
}

/* ---- File ------------------------------------------------------------------------------- */

static int write_file(const char *path, const struct npu_file *file, const char *header,
		      size_t header_bytes, const struct npu_safetensors_entry *tensors,
		      struct npu_error *err)
{
	struct npu_file_entry **order;
	struct npu_save save;
	int ret = npu_file_sort(file, &order, err);

	if (ret)
		return ret;
	ret = npu_save_begin(&save, "tensors", path, err);
	if (!ret) {
		ret = npu_save_write(&save, header, header_bytes, err);
		for (size_t i = 0; i < file->count && !ret; i++)
			ret = npu_save_write(&save, tensors[order[i] - file->entries].data,
					     (size_t)order[i]->tensor.bytes, err);
		ret = npu_save_end(&save, ret, err);
	}
	free(order);
	return ret;
}

static int fill(struct npu_file *file, const struct npu_safetensors_entry *tensors, size_t count,
		const struct npu_safetensors_note *notes, size_t n_notes, struct npu_error *err)
{
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++)
		ret = add_tensor(file, &tensors[i], err);
	if (!ret)
		ret = npu_file_index_names(file, err);
	if (!ret)
		ret = check_notes(file, notes, n_notes, err);
	if (!ret)
		ret = check_keys(file, notes, n_notes, err);
	/* What is damage in a file is a mistake in an argument. */
	if (ret == -EBADMSG) {
		ret = -EINVAL;
		if (err)
			err->code = ret;
	}
	return ret ? ret : place_tensors(file, err);
}

int npu_safetensors_write(const char *path, const struct npu_safetensors_entry *tensors,
			  size_t count, const struct npu_safetensors_note *notes, size_t n_notes,
			  struct npu_error *err)
{
	struct npu_file file = { .format = "safetensors" };
	char *header = NULL;
	size_t header_bytes;
	int ret;

	if (!path || (count && !tensors) || (n_notes && !notes))
		return npu_fail(err, -EINVAL,
				"npu_safetensors_write: no path, no tensors or no notes given");
	npu_file_set_shown(&file, path);
	ret = fill(&file, tensors, count, notes, n_notes, err);
	if (!ret)
		ret = make_header(&file, notes, n_notes, &header, &header_bytes, err);
	if (!ret)
		ret = write_file(path, &file, header, header_bytes, tensors, err);
	free(header);
	npu_file_free_entries(&file);
	return ret;
}

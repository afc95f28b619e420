// SPDX-License-Identifier: MIT
/* Puts the claim about files of tensors to the test. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../libnpu/file/file.h"
#include "tensors.h"

/* Above so many tensors only neighbours in the list are compared. */
#define ALL_PAIRS 64
#define CHUNK 300

static bool overlap(const struct npu_file_entry *a, const struct npu_file_entry *b)
{
	return a->tensor.bytes && b->tensor.bytes && a->offset < b->offset + b->tensor.bytes &&
	       b->offset < a->offset + a->tensor.bytes;
}

static const char *check_pairs(const struct npu_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		for (size_t j = i + 1; j < file->count && j < i + ALL_PAIRS; j++) {
			if (overlap(&file->entries[i], &file->entries[j]))
				return "two tensors overlap";
			if (!strcmp(file->entries[i].tensor.name, file->entries[j].tensor.name))
				return "two tensors have one name";
		}
	}
	return NULL;
}

/* In pieces that are no multiple of a block. */
static const char *read_values(const struct npu_file *file, size_t index)
{
	const struct npu_file_tensor *tensor = npu_file_tensor(file, index);
	float values[CHUNK];

	for (uint64_t first = 0; first < tensor->elements; first += CHUNK) {
		uint64_t left = tensor->elements - first;

		if (npu_file_read(file, index, first, left < CHUNK ? left : CHUNK, values, NULL))
			return "a tensor cannot be read";
	}
	return NULL;
}

static const char *check_notes(const struct npu_file *file)
{
	size_t count = npu_file_note_count(file);

	for (size_t i = 0; i < count; i++) {
		const struct npu_safetensors_note *note = npu_file_note(file, i);

		/* Both are strings that end inside of their memory: reading is the test. */
		if (strlen(note->key) + strlen(note->value) > file->bytes)
			return "a note is longer than the file";
		if (npu_file_find_note(file, note->key) != note->value)
			return "a note is not found by its key";
	}
	return npu_file_note(file, count) ? "there is a note behind the last one" : NULL;
}

/* The last elements, as they are. */
static const char *copy_values(const struct npu_file *file, size_t index)
{
	const struct npu_file_tensor *tensor = npu_file_tensor(file, index);
	uint64_t count = tensor->elements < 4 ? tensor->elements : 4, first;
	const uint8_t *data = npu_file_data(file, index);
	uint8_t values[4 * 16];
	uint64_t bytes;
	int ret;

	first = tensor->elements - count;
	ret = npu_file_copy(file, index, tensor->type, first, count, values, NULL);
	if (ret)
		return ret == -ENOTSUP ? NULL : "a tensor cannot be copied";
	bytes = count ? tensor->bytes / tensor->elements : 0;
	if (memcmp(values, data + first * bytes, count * bytes))
		return "a copy is not what is in the file";
	return npu_file_copy(file, index, tensor->type, first, count + 1, values, NULL) != -EINVAL
		       ? "elements behind the last one are copied"
		       : NULL;
}

static const char *check_tensor(const struct npu_file *file, size_t index)
{
	const struct npu_file_entry *entry = &file->entries[index];
	const struct npu_file_tensor *tensor = &entry->tensor;
	uint64_t elements = 1;
	const char *why;

	if (entry->offset > file->bytes || tensor->bytes > file->bytes - entry->offset)
		return "a tensor lies outside the file";
	for (uint32_t i = 0; i < NPU_FILE_MAX_RANK; i++)
		elements *= tensor->shape[i];
	if (tensor->rank > NPU_FILE_MAX_RANK || tensor->elements != elements)
		return "a shape and a number of elements contradict each other";
	if (tensor->readable && tensor->elements > 32 * tensor->bytes)
		return "a tensor has more elements than its bytes can hold";
	if (npu_file_find(file, tensor->name) != index)
		return "a tensor is not found by its name";
	why = tensor->readable ? read_values(file, index) : NULL;
	return why ? why : copy_values(file, index);
}

const char *tensors_check(const uint8_t *data, size_t size, bool *accepted)
{
	struct npu_file file = { .shown = "fuzz", .bytes = size };
	uint8_t *copy = malloc(size);
	struct npu_error err = { 0 };
	const char *why = NULL;

	if (size && !copy)
		abort();
	if (size)
		memcpy(copy, data, size);
	file.data = copy;
	*accepted = !npu_file_parse(&file, &err);
	if (*accepted) {
		why = check_pairs(&file);
		if (!why)
			why = check_notes(&file);
		for (size_t i = 0; i < file.count && !why; i++)
			why = check_tensor(&file, i);
	} else if (!err.code || !err.text[0]) {
		why = "a file is refused without a word";
	}
	npu_file_free_entries(&file);
	free(copy);
	return why;
}

int tensors_fuzz(const uint8_t *data, size_t size, const char *magic, size_t at)
{
	size_t length = strlen(magic);
	struct bytes b = { 0 };
	const char *why;
	bool accepted;

	bytes_put(&b, data, size);
	if (size >= at + length)
		memcpy(b.data + at, magic, length);
	why = tensors_check(b.data, size, &accepted);
	bytes_free(&b);
	if (why) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
	return 0;
}

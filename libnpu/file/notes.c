// SPDX-License-Identifier: MIT
/*
 * Notes: pairs of texts that a file has beside its tensors, the "__metadata__" of safetensors.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "json.h"

/* ---- Building the list ------------------------------------------------------------------ */

/* Reads a string to the end of the texts, and takes what it needs of @room. */
static int read_text(struct npu_json *json, char **to, size_t *room, const char **text)
{
	size_t length;
	int ret = npu_json_string(json, *to, *room);

	if (ret)
		return ret;
	length = strlen(*to);
	if (!npu_file_is_utf8(*to, length))
		return npu_json_fail(json, "a text that is not UTF-8");
	*text = *to;
	*to += length + 1;
	*room -= length + 1;
	return 0;
}

static int add_note(struct npu_file *file, const struct npu_safetensors_note *note,
		    struct npu_error *err)
{
	if (file->note_count == file->note_room) {
		size_t room = file->note_room ? 2 * file->note_room : 8;
		struct npu_safetensors_note *notes =
			reallocarray(file->notes, room, sizeof(*notes));

		if (!notes)
			return npu_file_fail(file, err, -ENOMEM, "no memory for %zu notes", room);
		file->notes = notes;
		file->note_room = room;
	}
	file->notes[file->note_count++] = *note;
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	const struct npu_safetensors_note *x = a, *y = b;

	return strcmp(x->key, y->key);
}

int npu_file_sort_notes(struct npu_file *file, struct npu_error *err)
{
	const struct npu_safetensors_note *notes = file->notes;

	if (file->note_count > 1)
		qsort(file->notes, file->note_count, sizeof(*notes), compare_keys);
	for (size_t i = 1; i < file->note_count; i++)
		if (!compare_keys(&notes[i - 1], &notes[i]))
			return npu_file_fail(file, err, -EBADMSG, "has two notes named '%.*s'",
					     NPU_FILE_SHOWN_NAME, notes[i].key);
	return 0;
}

int npu_file_parse_notes(struct npu_json *json, struct npu_file *file)
{
	/* Written out, a string takes a byte more than here: two quotes, not one NUL. */
	size_t room = (size_t)(json->end - json->at) + 1;
	char *to = malloc(room);
	int ret;

	if (!to)
		return npu_file_fail(file, json->err, -ENOMEM, "no memory for notes of %zu bytes",
				     room);
	file->note_text = to;
	ret = npu_json_expect(json, '{');
	if (ret || npu_json_accept(json, '}'))
		return ret;
	do {
		struct npu_safetensors_note note;

		ret = read_text(json, &to, &room, &note.key);
		if (!ret)
			ret = npu_json_expect(json, ':');
		if (!ret)
			ret = read_text(json, &to, &room, &note.value);
		if (!ret)
			ret = add_note(file, &note, json->err);
	} while (!ret && npu_json_accept(json, ','));
	if (!ret)
		ret = npu_json_expect(json, '}');
	return ret ? ret : npu_file_sort_notes(file, json->err);
}

void npu_file_free_notes(struct npu_file *file)
{
	free(file->notes);
	free(file->note_text);
	file->notes = NULL;
	file->note_text = NULL;
	file->note_count = 0;
	file->note_room = 0;
}

/* ---- Reading it ------------------------------------------------------------------------- */

size_t npu_file_note_count(const struct npu_file *file)
{
	return file->note_count;
}

const struct npu_safetensors_note *npu_file_note(const struct npu_file *file, size_t index)
{
	return index < file->note_count ? &file->notes[index] : NULL;
}

const char *npu_file_find_note(const struct npu_file *file, const char *key)
{
	const struct npu_safetensors_note wanted = { .key = key }, *found;

	if (!file->note_count)
		return NULL;
	found = bsearch(&wanted, file->notes, file->note_count, sizeof(wanted), compare_keys);
	return found ? found->value : NULL;
}

// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/file_rig.h"
#include "sheet.h"

/* The two parts of a header, and where the last tensor ends. */
struct header {
	struct bytes notes;
	struct bytes tensors;
	uint64_t end;
};

static void put(struct bytes *b, const char *text)
{
	bytes_put(b, text, strlen(text));
}

static void put_string(struct bytes *b, const char *text)
{
	put(b, "\"");
	for (; *text; text++) {
		char escaped[8];
		unsigned char c = *text == '|' ? '\n' : (unsigned char)*text;

		if (c >= ' ' && c <= '~' && c != '"' && c != '\\')
			bytes_put(b, &c, 1);
		else
			bytes_put(b, escaped, (size_t)snprintf(escaped, 8, "\\u%04x", c));
	}
	put(b, "\"");
}

static void put_note(struct bytes *notes, const char *key, const char *value)
{
	if (notes->length)
		put(notes, ",");
	put_string(notes, key);
	put(notes, ":");
	put_string(notes, value);
}

/* Bytes of an element, whose bits the name of its type ends with. */
static uint64_t type_bytes(const char *type)
{
	return strtoul(type + strcspn(type, "0123456789"), NULL, 10) / 8;
}

static void put_tensor(struct header *header, char *line)
{
	const char *name = strsep(&line, " "), *type = line ? strsep(&line, " ") : "F32", *size;
	uint64_t bytes = type_bytes(type);
	const char *before = "";
	char number[64];

	put(&header->tensors, ",");
	put_string(&header->tensors, name);
	put(&header->tensors, ":{\"dtype\":");
	put_string(&header->tensors, type);
	put(&header->tensors, ",\"shape\":[");
	while ((size = strsep(&line, " "))) {
		uint64_t count = strtoull(size, NULL, 10);

		snprintf(number, sizeof(number), "%s%" PRIu64, before, count);
		put(&header->tensors, number);
		bytes *= count;
		before = ",";
	}
	snprintf(number, sizeof(number), "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}",
		 header->end, header->end + bytes);
	put(&header->tensors, number);
	header->end += bytes;
}

static void read_lines(char *text, struct header *header)
{
	char *line;

	while ((line = strsep(&text, "\n"))) {
		char *value = strchr(line, '=');

		if (value) {
			*value = '\0';
			put_note(&header->notes, line, value + 1);
		} else if (*line) {
			put_tensor(header, line);
		}
	}
}

static void put_file(const uint8_t *sheet, size_t size, struct bytes *file)
{
	const uint8_t *end = memmem(sheet, size, "\n\n", 2);
	const uint8_t *data = end ? end + 2 : sheet + size;
	const size_t left = (size_t)(sheet + size - data);
	char *text = strndup((const char *)sheet, end ? (size_t)(end - sheet) : size);
	struct header header = { 0 };
	size_t room;

	must(text);
	read_lines(text, &header);
	free(text);
	room = strlen("{\"__metadata__\":{}}") + header.notes.length + header.tensors.length;
	bytes_u64(file, room);
	put(file, "{\"__metadata__\":{");
	bytes_put(file, header.notes.data, header.notes.length);
	put(file, "}");
	bytes_put(file, header.tensors.data, header.tensors.length);
	put(file, "}");
	for (size_t i = 0; i < header.end && i < SHEET_MOST; i++)
		bytes_put(file, left ? &data[i % left] : (const uint8_t *)"", 1);
	bytes_free(&header.notes);
	bytes_free(&header.tensors);
}

int sheet_image(const uint8_t *sheet, size_t size, char path[IMAGE_PATH])
{
	struct bytes file = { 0 };
	int fd;

	put_file(sheet, size, &file);
	fd = image_file(file.data, file.length, false, path);
	bytes_free(&file);
	return fd;
}

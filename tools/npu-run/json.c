// SPDX-License-Identifier: MIT
/* Writes JSON. */
#include <inttypes.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

/* Length of the UTF-8 sequence at @s, 0 if it is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s)
{
	uint32_t code;
	size_t length;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	length = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	code = s[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if ((length == 3 && code < 0x800) || (code >= 0xd800 && code < 0xe000))
		return 0;
	if (length == 4 && (code < 0x10000 || code > 0x10ffff))
		return 0;
	return length;
}

static FILE *file_of(const struct json *json)
{
	return json->file ? json->file : stdout;
}

static void print_string(FILE *file, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', file);
	while (*s) {
		size_t length = utf8_length(s);

		if (length == 0)
			fputs("\\ufffd", file);
		else if (*s == '"' || *s == '\\')
			fprintf(file, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(file, "\\u%04x", *s);
		else
			fwrite(s, 1, length, file);
		s += length ? length : 1;
	}
	fputc('"', file);
}

static void print_key(struct json *json, const char *key)
{
	if (json->comma)
		fputs(", ", file_of(json));
	json->comma = true;
	if (key) {
		print_string(file_of(json), key);
		fputs(": ", file_of(json));
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	print_key(json, key);
	fputc(bracket, file_of(json));
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	fputc(bracket, file_of(json));
	json->comma = true;
}

void json_end(struct json *json, char bracket)
{
	json_close(json, bracket);
	fputc('\n', file_of(json));
}

void json_string(struct json *json, const char *key, const char *value)
{
	print_key(json, key);
	print_string(file_of(json), value);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	print_key(json, key);
	fprintf(file_of(json), "%" PRIu64, value);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	print_key(json, key);
	fprintf(file_of(json), "%" PRId64, value);
}

void json_float(struct json *json, const char *key, double value)
{
	char text[32];

	print_key(json, key);
	if (!isfinite(value)) {
		fputs("null", file_of(json));
		return;
	}
	/* The shortest that reads back the same. */
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	fputs(text, file_of(json));
}

void json_fixed(struct json *json, const char *key, double value, int digits)
{
	print_key(json, key);
	fprintf(file_of(json), "%.*f", digits, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	print_key(json, key);
	fputs(value ? "true" : "false", file_of(json));
}

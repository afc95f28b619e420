// SPDX-License-Identifier: MIT
/* Writes JSON to standard output. */
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

static void print_string(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putchar('"');
	while (*s) {
		size_t length = utf8_length(s);

		if (length == 0)
			fputs("\\ufffd", stdout);
		else if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			printf("\\u%04x", *s);
		else
			fwrite(s, 1, length, stdout);
		s += length ? length : 1;
	}
	putchar('"');
}

static void print_key(struct json *json, const char *key)
{
	if (json->comma)
		fputs(", ", stdout);
	json->comma = true;
	if (key) {
		print_string(key);
		fputs(": ", stdout);
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	print_key(json, key);
	putchar(bracket);
	json->comma = false;
}

void json_close(struct json *json, char bracket)
{
	putchar(bracket);
	json->comma = true;
}

void json_end(struct json *json, char bracket)
{
	json_close(json, bracket);
	putchar('\n');
}

void json_string(struct json *json, const char *key, const char *value)
{
	print_key(json, key);
	print_string(value);
}

void json_uint(struct json *json, const char *key, uint64_t value)
{
	print_key(json, key);
	printf("%" PRIu64, value);
}

void json_int(struct json *json, const char *key, int64_t value)
{
	print_key(json, key);
	printf("%" PRId64, value);
}

void json_float(struct json *json, const char *key, double value)
{
	char text[32];

	print_key(json, key);
	if (!isfinite(value)) {
		fputs("null", stdout);
		return;
	}
	/* The shortest that reads back the same. */
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	fputs(text, stdout);
}

void json_bool(struct json *json, const char *key, bool value)
{
	print_key(json, key);
	fputs(value ? "true" : "false", stdout);
}

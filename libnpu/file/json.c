// SPDX-License-Identifier: MIT
/*
 * Strings, whole numbers and punctuation of JSON.
 */
#include <errno.h>
#include <string.h>

#include "json.h"

int npu_json_fail(struct npu_json *json, const char *what)
{
	return npu_file_fail(json->file, json->err, -EBADMSG,
			     "has a damaged header: %s at byte %zu", what,
			     (size_t)(json->at - json->start));
}

void npu_json_skip_space(struct npu_json *json)
{
	while (json->at < json->end &&
	       (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r'))
		json->at++;
}

bool npu_json_accept(struct npu_json *json, char c)
{
	npu_json_skip_space(json);
	if (json->at == json->end || *json->at != c)
		return false;
	json->at++;
	return true;
}

int npu_json_expect(struct npu_json *json, char c)
{
	const char what[] = { 'n', 'o', ' ', '\'', c, '\'', '\0' };

	return npu_json_accept(json, c) ? 0 : npu_json_fail(json, what);
}

int npu_json_number(struct npu_json *json, uint64_t *number)
{
	uint64_t value = 0;
	const char *first;

	npu_json_skip_space(json);
	for (first = json->at; json->at < json->end && *json->at >= '0' && *json->at <= '9';
	     json->at++) {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*json->at - '0'), &value))
			return npu_json_fail(json, "a number that is too large");
	}
	if (json->at == first)
		return npu_json_fail(json, "no whole number");
	if (*first == '0' && json->at > first + 1)
		return npu_json_fail(json, "a number with a 0 in front");
	if (json->at < json->end && strchr(".eE", *json->at) && *json->at)
		return npu_json_fail(json, "a number that is not whole");
	*number = value;
	return 0;
}

/* ---- Strings ---------------------------------------------------------------------------- */

/* What has been read of a string. */
struct string {
	char *text;
	size_t room;
	size_t length;
};

static int put(struct npu_json *json, struct string *string, char c)
{
	if (string->text) {
		if (!c)
			return npu_json_fail(json, "a NUL");
		if (string->length + 1 >= string->room)
			return npu_json_fail(json, "a string that is too long");
		string->text[string->length] = c;
	}
	string->length++;
	return 0;
}

/* The four digits of \uXXXX. */
static int read_unit(struct npu_json *json, uint32_t *unit)
{
	*unit = 0;
	for (int i = 0; i < 4; i++) {
		char c = json->at < json->end ? *json->at : 0;
		uint32_t digit = c >= '0' && c <= '9'	? (uint32_t)(c - '0')
				 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
							: 16;

		if (digit == 16)
			return npu_json_fail(json, "no hexadecimal digit");
		*unit = *unit << 4 | digit;
		json->at++;
	}
	return 0;
}

/* What lies beyond 16 bits is written as two halves, the high one first. */
static int read_code(struct npu_json *json, uint32_t *code)
{
	uint32_t low;
	int ret = read_unit(json, code);

	if (ret || *code < 0xd800 || *code >= 0xe000)
		return ret;
	if (*code >= 0xdc00 || json->end - json->at < 2 || json->at[0] != '\\' ||
	    json->at[1] != 'u')
		return npu_json_fail(json, "half a character");
	json->at += 2;
	ret = read_unit(json, &low);
	if (ret)
		return ret;
	if (low < 0xdc00 || low >= 0xe000)
		return npu_json_fail(json, "half a character");
	*code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

static int put_code(struct npu_json *json, struct string *string, uint32_t code)
{
	int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3, ret;
	static const uint8_t first[] = { 0, 0xc0, 0xe0, 0xf0 };

	ret = put(json, string, (char)(first[more] | code >> 6 * more));
	while (more-- && !ret)
		ret = put(json, string, (char)(0x80 | (code >> 6 * more & 0x3f)));
	return ret;
}

/* What follows a backslash. */
static int read_escape(struct npu_json *json, struct string *string)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *name;
	uint32_t code;
	int ret;

	if (json->at == json->end)
		return npu_json_fail(json, "an endless string");
	if (*json->at == 'u') {
		json->at++;
		ret = read_code(json, &code);
		return ret ? ret : put_code(json, string, code);
	}
	name = *json->at ? strchr(names, *json->at) : NULL;
	if (!name)
		return npu_json_fail(json, "an unknown escape");
	json->at++;
	return put(json, string, values[name - names]);
}

int npu_json_string(struct npu_json *json, char *text, size_t room)
{
	struct string string = { .text = text, .room = room };
	int ret = npu_json_expect(json, '"');

	while (!ret) {
		if (json->at == json->end)
			return npu_json_fail(json, "an endless string");
		if ((uint8_t)*json->at < 0x20)
			return npu_json_fail(json, "a control character");
		if (*json->at == '"')
			break;
		if (*json->at++ == '\\')
			ret = read_escape(json, &string);
		else
			ret = put(json, &string, json->at[-1]);
	}
	if (ret)
		return ret;
	json->at++;
	if (text)
		text[string.length] = '\0';
	return 0;
}

/* SPDX-License-Identifier: MIT */
/*
 * Reads JSON (RFC 8259) piece by piece, as a reader that knows what comes next asks for it. Nothing
 * is built and nothing recurses, whatever is in the text.
 */
#ifndef LIBNPU_JSON_H
#define LIBNPU_JSON_H

#include "file.h"

/* @at is what is read next, never behind @end. */
struct npu_json {
	const struct npu_file *file;
	const char *start;
	const char *at;
	const char *end;
	struct npu_error *err;
};

/* Fails with "has a damaged header: WHAT at byte N". */
int npu_json_fail(struct npu_json *json, const char *what);

void npu_json_skip_space(struct npu_json *json);

/* Takes the next character if it is @c. */
bool npu_json_accept(struct npu_json *json, char c);

/* Fails if the next character is not @c. */
int npu_json_expect(struct npu_json *json, char c);

/*
 * Reads a string.
 * @text: Room for @room bytes, ended by a NUL, and no other in it; NULL if nobody wants it.
 */
int npu_json_string(struct npu_json *json, char *text, size_t room);

/* Reads a whole number of 0 to 2^64 - 1, written as digits. */
int npu_json_number(struct npu_json *json, uint64_t *number);

#endif /* LIBNPU_JSON_H */

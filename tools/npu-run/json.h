/* SPDX-License-Identifier: MIT */
/*
 * Writes JSON (RFC 8259), one item a call. Keys are given inside objects and are
 * NULL inside arrays and at the top. Strings may hold any bytes: what is not UTF-8 becomes U+FFFD.
 */
#ifndef NPU_RUN_JSON_H
#define NPU_RUN_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * struct json - starts as { 0 }
 * @file: Where to; NULL for standard output.
 */
struct json {
	bool comma;
	FILE *file;
};

void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
/* Closes the outermost one and ends the line. */
void json_end(struct json *json, char bracket);

void json_string(struct json *json, const char *key, const char *value);
void json_uint(struct json *json, const char *key, uint64_t value);
void json_int(struct json *json, const char *key, int64_t value);
/* With as many digits as it takes to read the same number back; null if it is not finite. */
void json_float(struct json *json, const char *key, double value);
/* With so many digits behind the point, never with an exponent. */
void json_fixed(struct json *json, const char *key, double value, int digits);
void json_bool(struct json *json, const char *key, bool value);

#endif

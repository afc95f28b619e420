// SPDX-License-Identifier: MIT
/* What went wrong in a test that goes on. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "faults.h"

void faults_add(struct faults *faults, int64_t seed, int code, const char *format, ...)
{
	struct fault *fault = faults->kept + faults->kept_count;
	va_list args;

	if (!code)
		faults->wrong++;
	else if (code == -ETIMEDOUT)
		faults->hangs++;
	else
		faults->errors++;
	if (faults->kept_count == FAULTS_KEPT)
		return;
	faults->kept_count++;
	fault->seed = seed;
	va_start(args, format);
	vsnprintf(fault->text, sizeof(fault->text), format, args);
	va_end(args);
}

uint64_t faults_total(const struct faults *faults)
{
	return faults->wrong + faults->hangs + faults->errors;
}

void faults_print(const struct faults *faults)
{
	printf("faults    %" PRIu64 ": %" PRIu64 " wrong results, %" PRIu64
	       " hangs that were recovered, %" PRIu64 " other errors\n",
	       faults_total(faults), faults->wrong, faults->hangs, faults->errors);
	for (size_t i = 0; i < faults->kept_count; i++)
		printf("  seed %" PRId64 ": %s\n", faults->kept[i].seed, faults->kept[i].text);
	if (faults_total(faults) > faults->kept_count)
		printf("  and %" PRIu64 " more\n", faults_total(faults) - faults->kept_count);
}

void faults_json(struct json *json, const struct faults *faults)
{
	json_open(json, "faults", '{');
	json_uint(json, "wrong", faults->wrong);
	json_uint(json, "hangs", faults->hangs);
	json_uint(json, "errors", faults->errors);
	json_open(json, "first", '[');
	for (size_t i = 0; i < faults->kept_count; i++) {
		json_open(json, NULL, '{');
		json_int(json, "seed", faults->kept[i].seed);
		json_string(json, "text", faults->kept[i].text);
		json_close(json, '}');
	}
	json_close(json, ']');
	json_close(json, '}');
}

/* SPDX-License-Identifier: MIT */
/* What went wrong in a test that goes on. */
#ifndef NPU_RUN_FAULTS_H
#define NPU_RUN_FAULTS_H

#include <stddef.h>
#include <stdint.h>

#include "json.h"
#include "npu.h"

/* Faults that are described; more of them are only counted. */
#define FAULTS_KEPT 16

/*
 * struct fault - one of them
 * @seed: Gives the same multiplication again.
 * @text: What was multiplied, and what happened, in words.
 */
struct fault {
	int64_t seed;
	char text[2 * NPU_ERROR_TEXT];
};

/*
 * struct faults - all of them; starts as { 0 }
 * @wrong: Results that were wrong.
 * @hangs: Hangs of the engine that were recovered.
 * @errors: Other failures of the device or its driver.
 * @kept: The first ones.
 */
struct faults {
	uint64_t wrong;
	uint64_t hangs;
	uint64_t errors;
	struct fault kept[FAULTS_KEPT];
	size_t kept_count;
};

/* @code: The library's, or 0 for a wrong result. */
void faults_add(struct faults *faults, int64_t seed, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

uint64_t faults_total(const struct faults *faults);

void faults_print(const struct faults *faults);

/* Member of an object. */
void faults_json(struct json *json, const struct faults *faults);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * A text file that appears complete or not at all: it is written beside its place, and renamed in
 * the end.
 */
#ifndef NPU_RUN_OUTPUT_H
#define NPU_RUN_OUTPUT_H

#include <limits.h>
#include <stdio.h>

#include "npu.h"

/*
 * struct output - the file
 * @file: Where to write.
 * @path: Its name, NULL for standard output.
 * @temporary: What it is called until it is complete.
 */
struct output {
	FILE *file;
	const char *path;
	char temporary[PATH_MAX];
};

/* @path: NULL for standard output; it stays the caller's, until the end. Errors: what open(2) says.
 */
int output_open(struct output *output, const char *path, struct npu_error *err);

/* The file is complete. On an error there is nothing new. */
int output_commit(struct output *output, struct npu_error *err);

/* There shall be no file. */
void output_discard(struct output *output);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * The claim about files of tensors: whatever is in one, what is accepted lies inside it, each byte
 * in one tensor only, and can be read.
 */
#ifndef TESTS_FUZZ_TENSORS_H
#define TESTS_FUZZ_TENSORS_H

#include <stdbool.h>

#include "../unit/file_rig.h"

/*
 * Opens @data as a file, in memory of exactly that size, and reads all that is in it. Returns what
 * is wrong with what was accepted, or NULL.
 */
const char *tensors_check(const uint8_t *data, size_t size, bool *accepted);

/* The corpus: whole files of a format, made anew. */
enum tensors_format {
	TENSORS_NPY,
	TENSORS_SAFETENSORS,
	TENSORS_GGUF,
	TENSORS_FORMATS
};
extern const unsigned int tensors_seed_count[TENSORS_FORMATS];
void tensors_seed(enum tensors_format format, unsigned int number, struct bytes *b);

/* What the fuzz target of a format does with an input: puts its first bytes right and checks it. */
int tensors_fuzz(const uint8_t *data, size_t size, const char *magic, size_t at);

#endif

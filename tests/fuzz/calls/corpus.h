/* SPDX-License-Identifier: MIT */
/*
 * Programs that reached something new, and new ones made of them. A corpus is kept as text, a
 * program a line in hexadecimal digits.
 */
#ifndef TESTS_FUZZ_CALLS_CORPUS_H
#define TESTS_FUZZ_CALLS_CORPUS_H

#include <stddef.h>
#include <stdint.h>

enum {
	PROGRAM_MAX = 256
};

struct program {
	size_t size;
	uint8_t bytes[PROGRAM_MAX];
};

/** Reads a corpus; 0, or -1 and why on standard error. One that does not exist is empty. */
int corpus_load(const char *path);
/** Writes what was added or is kept; 0, or -1 and why on standard error. */
int corpus_save(const char *path);
void corpus_add(const struct program *program);
/** Program number @n, which was read, has reached something that none before it did. */
void corpus_keep(size_t n);
size_t corpus_count(void);
/** Program number @n, to begin with what is known. */
struct program corpus_get(size_t n);

/** A new program: of chance only, or one or two of the corpus changed. */
void corpus_next(struct program *program, uint64_t *seed);

#endif /* TESTS_FUZZ_CALLS_CORPUS_H */

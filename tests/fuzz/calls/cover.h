/* SPDX-License-Identifier: MIT */
/*
 * Which code of npu.ko a thread's calls have reached, from KCOV. Code that runs in interrupts or in
 * the kernel's own threads is not seen.
 */
#ifndef TESTS_FUZZ_CALLS_COVER_H
#define TESTS_FUZZ_CALLS_COVER_H

#include <stddef.h>
#include <stdio.h>

/** Finds where the module is: 0, or -1 and why on standard error. Before any thread. */
int cover_open(void);

/** Begins to record for this thread; NULL where the kernel cannot. */
struct cover *cover_thread_begin(void);
void cover_thread_end(struct cover *cover);

/** Forgets what was recorded for this thread. */
void cover_clear(struct cover *cover);
/** Adds what was recorded to what all threads have reached; how much of it was new. */
size_t cover_collect(struct cover *cover);

/** Places reached so far. */
size_t cover_count(void);
/** Writes where sections begin and which places were reached, a line each. */
void cover_write(FILE *to);

#endif /* TESTS_FUZZ_CALLS_COVER_H */

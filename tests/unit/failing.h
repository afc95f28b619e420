/* SPDX-License-Identifier: MIT */
/*
 * Makes each call that the library makes fail once, in every place it makes one. A test is a list
 * of steps, each a call of the library on what the steps before it have made. A step is tried with
 * the first call inside it failing, then the second and so on, until none is left to fail: so that
 * the objects it works on have lived through all of its failures when it succeeds.
 *
 * The linker sends the calls here: FAILING_MEMORY_WRAP and FAILING_CALLS_WRAP in build.mk.
 */
#ifndef TESTS_FAILING_H
#define TESTS_FAILING_H

#include <stdbool.h>
#include <stddef.h>

#include <npu.h>

/**
 * struct failing_step - a call to be tried
 * @name: For the report.
 * @make: The call; returns what it returned.
 * @undo: Takes back what it has made, NULL if there is nothing.
 * @bears: The call may succeed although one inside it has failed: there is another way, or it was
 *	no more than advice.
 * @other: An error it may give in place of the one inside or -ENOMEM, 0 for none.
 */
struct failing_step {
	const char *name;
	int (*make)(struct npu_error *err);
	void (*undo)(void);
	bool bears;
	int other;
};

/**
 * struct failing_source - calls that can be made to fail
 * @arm: From now on, @after calls succeed and the next one fails with @code; all others succeed.
 * @disarm: No more of that. Returns whether one has failed.
 */
struct failing_source {
	void (*arm)(unsigned int after, int code);
	bool (*disarm)(void);
};

/* malloc(), calloc(), realloc(), strdup() and all the others. */
extern const struct failing_source failing_memory;

/* open(), mmap(), write(), pthread_create() and all the others. */
extern const struct failing_source failing_calls;

/* For the functions of a source: true, and errno is set, if it is this one's turn to fail. */
bool failing_turn(const struct failing_source *source);

/*
 * Tries all steps and takes them back. @code is a positive errno. Returns how many calls failed;
 * fails the test where an error is not told, or not that one, or if a file is still open in the
 * end. What is left in memory is for the sanitizers to see.
 */
unsigned int failing_try(const struct failing_source *source, int code,
			 const struct failing_step *steps, size_t count);

#endif /* TESTS_FAILING_H */

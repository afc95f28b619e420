/* SPDX-License-Identifier: MIT */
/*
 * Counts what the library allocates. Link with what COUNTING_TESTS are linked with.
 */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

/* Calls of malloc(), calloc(), realloc() and aligned_alloc() so far. */
unsigned int allocations(void);

#endif /* TESTS_ALLOCATIONS_H */

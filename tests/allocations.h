/* SPDX-License-Identifier: MIT */
/*
 * Counts what the library allocates. Link with -Wl,--wrap=malloc,--wrap=calloc.
 */
#ifndef TESTS_ALLOCATIONS_H
#define TESTS_ALLOCATIONS_H

/* Calls of malloc() and calloc() so far. */
unsigned int allocations(void);

#endif /* TESTS_ALLOCATIONS_H */

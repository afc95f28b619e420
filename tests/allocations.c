// SPDX-License-Identifier: MIT
/*
 * Counts allocations: the linker sends the calls of the objects it links to the functions here.
 */
#include <stdatomic.h>
#include <stddef.h>

#include "allocations.h"

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *data, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *data, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);

static atomic_uint count_so_far;

unsigned int allocations(void)
{
	return count_so_far;
}

void *__wrap_malloc(size_t bytes)
{
	count_so_far++;
	return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
	count_so_far++;
	return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *data, size_t bytes)
{
	count_so_far++;
	return __real_realloc(data, bytes);
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
	count_so_far++;
	return __real_aligned_alloc(alignment, bytes);
}

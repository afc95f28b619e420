// SPDX-License-Identifier: MIT
/* What many measurements of the same thing have in common. */
#include <stdlib.h>

#include "distribution.h"

static int compare(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* The nearest rank: always a measurement that was made. */
static uint64_t percentile(const uint64_t *sorted, size_t count, size_t percent)
{
	size_t rank = (count * percent + 99) / 100;

	return sorted[rank ? rank - 1 : 0];
}

void distribution_of(uint64_t *ns, size_t count, struct distribution *distribution)
{
	double sum = 0;

	qsort(ns, count, sizeof(*ns), compare);
	for (size_t i = 0; i < count; i++)
		sum += (double)ns[i];
	distribution->min = ns[0];
	distribution->p50 = percentile(ns, count, 50);
	distribution->p90 = percentile(ns, count, 90);
	distribution->p99 = percentile(ns, count, 99);
	distribution->max = ns[count - 1];
	distribution->mean = sum / (double)count;
}

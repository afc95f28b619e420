/* SPDX-License-Identifier: MIT */
/* What many measurements of the same thing have in common. */
#ifndef NPU_RUN_DISTRIBUTION_H
#define NPU_RUN_DISTRIBUTION_H

#include <stddef.h>
#include <stdint.h>

/*
 * struct distribution - of measurements in ns
 * @p50, @p90, @p99: The smallest measurement that so many percent are not above.
 */
struct distribution {
	uint64_t min, p50, p90, p99, max;
	double mean;
};

/* Sorts @ns. There is at least one. */
void distribution_of(uint64_t *ns, size_t count, struct distribution *distribution);

#endif

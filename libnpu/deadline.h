/* SPDX-License-Identifier: MIT */
/*
 * Deadlines: nanoseconds of CLOCK_MONOTONIC, INT64_MAX for never. Kernel and library share them.
 */
#ifndef LIBNPU_DEADLINE_H
#define LIBNPU_DEADLINE_H

#include <stdint.h>
#include <time.h>

#define NPU_NEVER INT64_MAX

/* Now plus @timeout_ns; never where that is negative or beyond all clocks. */
static inline int64_t npu_deadline(int64_t timeout_ns)
{
	struct timespec now;
	int64_t deadline;

	if (timeout_ns < 0)
		return NPU_NEVER;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (__builtin_add_overflow(now.tv_sec * INT64_C(1000000000) + now.tv_nsec, timeout_ns,
				   &deadline))
		return NPU_NEVER;
	return deadline;
}

#endif /* LIBNPU_DEADLINE_H */

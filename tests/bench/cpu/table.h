/* SPDX-License-Identifier: MIT */
/* What was measured, for people and for programs. */
#ifndef TESTS_BENCH_CPU_TABLE_H
#define TESTS_BENCH_CPU_TABLE_H

#include "match.h"

/** struct table - one kind of matches; its first contender is the one that the others are held to
 */
struct table {
	const char *key;
	const char *title;
	const struct contender *const *contenders;
	size_t count;
	bool json;
};

/* The machine, how loaded it is, and what takes part. */
void table_conditions(const struct contender *const *contenders, size_t count, bool json);

void table_begin(const struct table *table);
void table_line(const struct table *table, const struct problem *problem,
		const struct timing *timing);

#endif /* TESTS_BENCH_CPU_TABLE_H */

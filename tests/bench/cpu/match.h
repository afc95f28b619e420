/* SPDX-License-Identifier: MIT */
/*
 * One problem, several contenders, in turns: what disturbs the machine disturbs all of them.
 */
#ifndef TESTS_BENCH_CPU_MATCH_H
#define TESTS_BENCH_CPU_MATCH_H

#include "contender.h"

/** Most contenders of a match. */
#define MATCH_CONTENDERS 5

/** Turns of each contender, and of a problem that takes long. */
#define MATCH_ROUNDS 15
#define MATCH_ROUNDS_LONG 7

/**
 * struct timing - microseconds of one run
 * @solved: False for a contender that cannot solve the problem.
 * @exact: Whether its result is the right one: sums to the bit, int8 within one, because halves are
 *	rounded differently. oneDNN's is not where there is AVX2 and no VNNI: it then multiplies by
 *	VPMADDUBSW, which saturates.
 * @best: The fastest turn: what the machine can do.
 * @median: The one in the middle: what it did while others used it, too.
 */
struct timing {
	bool solved;
	bool exact;
	double best;
	double median;
};

/* Runs a match. Ends the program when the first contender's result is not the right one. */
void match_run(const struct problem *problem, const struct contender *const *contenders,
	       size_t count, struct timing *timing);

#endif /* TESTS_BENCH_CPU_MATCH_H */

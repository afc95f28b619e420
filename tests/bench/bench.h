/* SPDX-License-Identifier: MIT */
/*
 * What a job costs: instructions of the processor around it, cycles of the engine for it, and what
 * its operands cost before. No test: it measures, and whoever reads it judges.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Most figures a measurement has. */
#define BENCH_FIGURES 64

/**
 * struct figure - one line of a report
 * @name: What was measured, for people.
 * @key: The same in JSON.
 * @value: The figure, in the report's unit.
 * @target: What it should be at most (instructions), what is physically possible (cycles) or what
 *	memcpy() does (MB/s); 0 for a figure that only explains another.
 * @predicted: What somebody said it would be, 0 if nobody did.
 */
struct figure {
	const char *name;
	const char *key;
	double value;
	double target;
	double predicted;
};

/**
 * struct report - what a measurement found
 * @title: For people.
 * @unit: Of the figures.
 * @clock_hz: Clock of the engine, 0 if there is none in it.
 * @figure: In the order of printing.
 * @count: Used entries of @figure.
 */
struct report {
	const char *title;
	const char *unit;
	uint64_t clock_hz;
	struct figure figure[BENCH_FIGURES];
	size_t count;
};

void report_add(struct report *report, const char *key, const char *name, double value,
		double target);
void report_predicted(struct report *report, const char *key, const char *name, double value,
		      double target, double predicted);

/* Prints, with the conditions that figures depend on. */
void report_print(const struct report *report, bool json);

uint64_t bench_now(void); /* CLOCK_MONOTONIC in ns */

void bench_instructions(struct report *report);
void bench_engine(struct report *report);
void bench_pack(struct report *report);

#endif /* TESTS_BENCH_H */

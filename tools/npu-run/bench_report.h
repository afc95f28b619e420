/* SPDX-License-Identifier: MIT */
/* Shows measurements: as a table, as JSON. */
#ifndef NPU_RUN_BENCH_REPORT_H
#define NPU_RUN_BENCH_REPORT_H

#include <stddef.h>

#include "bench.h"
#include "conditions.h"
#include "device.h"

/*
 * struct bench_report - all of a run
 * @devices: Each has measured the shapes that follow, in this order.
 * @results: Shape after shape, and of each shape device after device; @count of them are there.
 */
struct bench_report {
	const struct conditions *conditions;
	const struct device *devices;
	size_t device_count;
	const struct shape *shapes;
	const struct measurement *results;
	size_t count;
};

/* What is above the table, and is known before anything is measured. */
void bench_print_head(const struct bench_report *report);

void bench_print_table(const struct bench_report *report);

void bench_json(const struct bench_report *report);

#endif

/* SPDX-License-Identifier: MIT */
/*
 * Measurements as a roofline chart: operations a second over operations for each byte, below what
 * the memory and the multiply-accumulates of each engine allow.
 */
#ifndef NPU_RUN_BENCH_CHART_H
#define NPU_RUN_BENCH_CHART_H

#include "bench_report.h"

/* Draws it on standard output. Errors: those of plot_text(). */
int bench_chart_print(const struct bench_report *report, struct npu_error *err);

/* Writes it as an SVG file. Errors: those of plot_svg(). */
int bench_chart_save(const struct bench_report *report, const char *path, struct npu_error *err);

#endif

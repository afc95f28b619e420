/* SPDX-License-Identifier: MIT */
/* A chart that is drawn in both ways: two lines that cross, and a limit. */
#ifndef TESTS_PLOT_CHART_H
#define TESTS_PLOT_CHART_H

#include "../../tools/npu-run/plot.h"

static const struct plot_point up[] = { { 2, 0 }, { 3, 50 }, { 4, 100 } };
static const struct plot_point down[] = { { 2, 100 }, { 4, 50 } };
static const struct plot_series lines[] = {
	{ "first", PLOT_LINE_POINTS, up, 3 },
	{ "second", PLOT_LINE, down, 2 },
};
static const struct plot_limit limit = { "float", false, 75 };
static const struct plot chart = {
	.title = "Title",
	.x.label = "bits",
	.y.label = "top-1 %",
	.series = lines,
	.series_count = 2,
	.limits = &limit,
	.limit_count = 1,
};

#endif

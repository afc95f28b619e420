/* SPDX-License-Identifier: MIT */
/* What both ways of drawing share: where values go, which ticks there are, and texts. */
#ifndef NPU_RUN_PLOT_AXIS_H
#define NPU_RUN_PLOT_AXIS_H

#include <stdint.h>

#include "plot.h"

#define PLOT_MAX_TICKS 16

struct plot_tick {
	double at;
	char text[24];
};

/*
 * struct plot_range - an axis that has been laid out
 * @low, @high: Its ends, mapped: logarithms on a logarithmic axis.
 * @ticks: In ascending order, all within.
 */
struct plot_range {
	enum plot_scale scale;
	double low;
	double high;
	struct plot_tick ticks[PLOT_MAX_TICKS];
	size_t tick_count;
};

/* Checks that a chart can be drawn. */
int plot_check(const struct plot *plot, struct npu_error *err);

/*
 * Lays out an axis of a chart that has been checked: from the values on it, widened to round ones.
 * @wanted: About so many ticks.
 */
void plot_layout(const struct plot *plot, bool vertical, unsigned int wanted,
		 struct plot_range *range);

/* Where a value is: 0 at the low end of the axis, 1 at the high one. */
double plot_place(const struct plot_range *range, double value);

/* A bar's height of 0 has no place on a logarithmic axis, and no bar. */
bool plot_has_bar(const struct plot_range *y, double value);

/* Where bars stand: at 0, or at the low end if that is not on the axis. */
double plot_baseline(const struct plot_range *y);

/* A number in few characters: 12500 as "12.5k". */
void plot_number(double value, char *text, size_t room);

/*
 * Takes the next character of a text: its bytes, ended by a NUL, '?' for what cannot be shown.
 * Returns false at the end.
 */
bool plot_character(const char **text, char bytes[5]);

/* Number of characters. */
size_t plot_length(const char *text);

#endif

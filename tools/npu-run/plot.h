/* SPDX-License-Identifier: MIT */
/*
 * Charts: described once, drawn in a terminal or as an SVG file.
 *
 *	struct plot_point points[] = { { 4, 87.1 }, { 8, 89.6 } };
 *	struct plot_series series = { "per channel", PLOT_LINE_POINTS, points, 2 };
 *	struct plot plot = {
 *		.title = "Accuracy", .x.label = "bits of weights", .y.label = "top-1 %",
 *		.series = &series, .series_count = 1,
 *	};
 *	plot_text(stdout, &plot, &terminal, &err);
 *	plot_svg("accuracy.svg", &plot, &err);
 *
 * The same description gives the same characters. Texts are UTF-8; what is not, and control
 * characters, are drawn as '?'.
 */
#ifndef NPU_RUN_PLOT_H
#define NPU_RUN_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "npu.h"

/* So many can be told apart. */
#define PLOT_MAX_SERIES 8

enum plot_scale {
	PLOT_LINEAR,
	PLOT_LOG2,
	PLOT_LOG10,
};

enum plot_style {
	PLOT_POINTS,
	PLOT_LINE,
	PLOT_LINE_POINTS,
	/* A bar from the x of each point to that of the next; the last point only ends one. */
	PLOT_BARS,
};

/*
 * struct plot_axis - an axis
 * @label: What is on it, with its unit; NULL if nothing is to be said.
 * @scale: Logarithmic ones take no values of 0 or less but a bar's height of 0, for none.
 * @low, @high: To be on the axis, whether there are points or not. Both 0: only what points need.
 */
struct plot_axis {
	const char *label;
	enum plot_scale scale;
	double low;
	double high;
};

struct plot_point {
	double x;
	double y;
};

struct plot_series {
	const char *name;
	enum plot_style style;
	const struct plot_point *points;
	size_t count;
};

/* A dashed line across: at a y, or at an x if it is @vertical. */
struct plot_limit {
	const char *name;
	bool vertical;
	double at;
};

/*
 * struct plot - a chart
 * @title: Above it.
 * @description: In words, for who does not see it; NULL: made of the labels and names.
 * @series: Drawn in this order, later ones above.
 */
struct plot {
	const char *title;
	const char *description;
	struct plot_axis x, y;
	const struct plot_series *series;
	size_t series_count;
	const struct plot_limit *limits;
	size_t limit_count;
};

/*
 * struct plot_terminal - what a terminal can show
 * @width, @height: Of the whole chart in characters; small ones are taken for the smallest that
 *	makes sense.
 * @unicode: Lines of braille dots and bars of eighths, in UTF-8. Otherwise ASCII.
 * @colour: ANSI escapes.
 */
struct plot_terminal {
	int width;
	int height;
	bool unicode;
	bool colour;
};

/*
 * Finds out about a stream: its width if it is a terminal (80 if not), UTF-8 if the locale says so,
 * colour if it is a terminal and nobody objects with NO_COLOR or TERM=dumb.
 */
void plot_terminal(FILE *out, struct plot_terminal *terminal);

/*
 * Draws a chart with characters. Whether they could be written is for the caller to ask.
 *
 * Errors: -EINVAL nothing or too much to draw, or a value that is not finite or has no place on its
 * axis (the text names series and point).
 */
int plot_text(FILE *out, const struct plot *plot, const struct plot_terminal *terminal,
	      struct npu_error *err);

/*
 * Draws a chart as an SVG file, complete or not at all. It needs nothing else: styles for light and
 * dark are inside, and title and description for who does not see it.
 *
 * Errors: as plot_text(), whose texts begin with "the chart"; what save_begin() and save_end() say,
 * which goes after the path.
 */
int plot_svg(const char *path, const struct plot *plot, struct npu_error *err);

#endif

// SPDX-License-Identifier: MIT
/*
 * Charts as SVG: what is in a file, and that it is one; and what cannot be drawn.
 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../expect.h"
#include "plot_chart.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

static char dir[] = "/tmp/test_plot.XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/chart.svg", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static char *svg_of(const struct plot *plot)
{
	static char text[65536];
	size_t length;
	FILE *in;

	expect_ok(plot_svg(path, plot, &err));
	in = fopen(path, "r");
	assert_non_null(in);
	length = fread(text, 1, sizeof(text) - 1, in);
	fclose(in);
	text[length] = '\0';
	return text;
}

/* Each element that begins ends, in order; there is no other use of < and &. */
static void expect_well_formed(const char *text)
{
	char open[16][16];
	int depth = 0, roots = 0;

	for (const char *at = strpbrk(text, "<&"); at; at = strpbrk(at + 1, "<&")) {
		const char *end = strchr(at, *at == '<' ? '>' : ';');
		char name[16] = "";

		assert_non_null(end);
		if (*at == '&') {
			assert_true(!strncmp(at, "&lt;", 4) || !strncmp(at, "&gt;", 4) ||
				    !strncmp(at, "&amp;", 5));
			continue;
		}
		assert_int_equal(sscanf(at + 1, "%15[a-z/]", name), 1);
		if (name[0] == '/') {
			assert_true(depth > 0);
			assert_string_equal(open[--depth], name + 1);
		} else if (end[-1] != '/') {
			roots += !depth;
			assert_true(depth < 16);
			strcpy(open[depth++], name);
		}
	}
	assert_int_equal(depth, 0);
	assert_int_equal(roots, 1);
}

static void expect_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("there is no %s in %s", part, text);
}

/* The drawing is 620 x 320, its lower left corner at 76, 384. */
static void lines_in_svg(void **state)
{
	const char *text = svg_of(&chart);

	(void)state;
	expect_well_formed(text);
	expect_has(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
	expect_has(text, "role=\"img\" aria-labelledby=\"plot-title plot-desc\"");
	expect_has(text, "<title id=\"plot-title\">Title</title>");
	expect_has(text, "<desc id=\"plot-desc\">top-1 % over bits: first, second</desc>");
	expect_has(text, "prefers-color-scheme: dark");
	expect_has(text, "points=\"76.0,384.0 386.0,224.0 696.0,64.0\"");
	expect_has(text, "points=\"76.0,64.0 696.0,224.0\"");
	expect_has(text, "<title>first: 3, 50</title>");
	expect_has(text, "class=\"limit\" x1=\"76.0\" y1=\"144.0\" x2=\"696.0\" y2=\"144.0\"");
	assert_null(strstr(text, "<title>second"));
}

static void bars_in_svg(void **state)
{
	static const struct plot_point points[] = { { 1, 1 }, { 2, 0 }, { 4, 100 }, { 16, 0 } };
	static const struct plot_series series = { "bars", PLOT_BARS, points, COUNT(points) };
	static const struct plot_limit edge = { "edge", true, 4 };
	static const struct plot plot = {
		.title = "Bars",
		.description = "What <bars> & \"lines\" say\n",
		.x.scale = PLOT_LOG2,
		.y.scale = PLOT_LOG10,
		.series = &series,
		.series_count = 1,
		.limits = &edge,
		.limit_count = 1,
	};
	const char *text = svg_of(&plot);

	(void)state;
	expect_well_formed(text);
	expect_has(text, "<desc id=\"plot-desc\">What &lt;bars&gt; &amp; \"lines\" say?</desc>");
	/* From 0.1 to 100: the bar of 1 has a third of the height. */
	expect_has(text, "x=\"76.0\" y=\"277.3\" width=\"155.0\" height=\"106.7\"");
	expect_has(text, "x=\"386.0\" y=\"64.0\" width=\"310.0\" height=\"320.0\"");
	expect_has(text, "class=\"limit\" x1=\"386.0\" y1=\"64.0\" x2=\"386.0\" y2=\"384.0\"");
	assert_null(strstr(text, "bars: 2, 0"));
}

/* They stand on 0, whatever the least of them is, and hang from it. */
static void linear_bars_in_svg(void **state)
{
	static const struct plot_point points[] = { { 0, 3 }, { 1, 4 }, { 2, 0 } };
	static const struct plot_point hanging[] = { { 0, -3 }, { 1, -4 }, { 2, 0 } };
	struct plot_series series = { "bars", PLOT_BARS, points, COUNT(points) };
	const struct plot plot = { .title = "", .series = &series, .series_count = 1 };
	const char *text = svg_of(&plot);

	(void)state;
	expect_has(text, "x=\"76.0\" y=\"144.0\" width=\"310.0\" height=\"240.0\"");
	series.points = hanging;
	text = svg_of(&plot);
	expect_has(text, "x=\"76.0\" y=\"64.0\" width=\"310.0\" height=\"240.0\"");
}

/* The legend grows downwards, and the picture with it. */
static void legends_in_svg(void **state)
{
	struct plot_series series[PLOT_MAX_SERIES];
	const struct plot plot = { .title = "", .series = series, .series_count = PLOT_MAX_SERIES };
	const char *text;

	(void)state;
	for (int i = 0; i < PLOT_MAX_SERIES; i++)
		series[i] = (struct plot_series){ "a name that takes half of a line", PLOT_POINTS,
						  up, 3 };
	text = svg_of(&plot);
	expect_well_formed(text);
	expect_has(text, "height=\"534\" viewBox=\"0 0 720 534\"");
	expect_has(text, "x=\"46.0\" y=\"518.0\">a name");
}

static void same_description_same_file(void **state)
{
	char *first = strdup(svg_of(&chart));

	(void)state;
	assert_non_null(first);
	assert_string_equal(svg_of(&chart), first);
	free(first);
}

/* ---- What cannot be drawn --------------------------------------------------------------- */

static void expect_refused(const struct plot *plot, const char *text)
{
	struct plot_terminal terminal = { 80, 20, false, false };

	expect_error(plot_text(NULL, plot, &terminal, &err), -EINVAL, text);
	unlink(path);
	expect_error(plot_svg(path, plot, &err), -EINVAL, text);
	assert_int_equal(access(path, F_OK), -1);
}

static void points_refused(void **state)
{
	static const struct {
		struct plot_point point;
		enum plot_scale x, y;
		enum plot_style style;
		const char *text;
	} cases[] = {
		{ { NAN, 1 },
		  PLOT_LINEAR,
		  PLOT_LINEAR,
		  PLOT_LINE,
		  "point 1 of 's', which is at nan, 1" },
		{ { 1, INFINITY }, PLOT_LINEAR, PLOT_LINEAR, PLOT_LINE, "which is at 1, inf" },
		{ { 2, 1e301 }, PLOT_LINEAR, PLOT_LINEAR, PLOT_LINE, "which is at 2, 1e+301" },
		{ { 0, 1 }, PLOT_LOG2, PLOT_LINEAR, PLOT_LINE, "which is at 0, 1" },
		{ { 2, -1 }, PLOT_LINEAR, PLOT_LOG10, PLOT_LINE, "which is at 2, -1" },
		{ { 2, 0 }, PLOT_LINEAR, PLOT_LOG10, PLOT_POINTS, "which is at 2, 0" },
		{ { 2, -1 }, PLOT_LINEAR, PLOT_LOG10, PLOT_BARS, "which is at 2, -1" },
		{ { 1, 1 },
		  PLOT_LINEAR,
		  PLOT_LINEAR,
		  PLOT_BARS,
		  "bars in 's' that are not in order at point 1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct plot_point points[] = { { 1, 1 }, cases[i].point };
		struct plot_series series = { "s", cases[i].style, points, 2 };
		struct plot plot = { .title = "",
				     .x.scale = cases[i].x,
				     .y.scale = cases[i].y,
				     .series = &series,
				     .series_count = 1 };

		expect_refused(&plot, cases[i].text);
	}
}

static void charts_refused(void **state)
{
	static const struct plot_limit bad = { "none", true, NAN };
	struct plot_series series[PLOT_MAX_SERIES + 1] = { { "s", PLOT_LINE, up, 0 } };
	struct plot plot = chart;

	(void)state;
	plot.series = series;
	plot.series_count = 1;
	expect_refused(&plot, "the chart has no points");
	plot.series_count = PLOT_MAX_SERIES + 1;
	expect_refused(&plot, "the chart has 9 series, more than 8");
	plot = chart;
	plot.limits = &bad;
	expect_refused(&plot, "no place for the limit 'none' at nan");
	plot = chart;
	plot.y.low = 5;
	plot.y.high = 4;
	expect_refused(&plot, "the chart cannot have the y axis from 5 to 4");
	plot.x.scale = PLOT_LOG10;
	plot.x.high = 1;
	expect_refused(&plot, "the chart cannot have the x axis from 0 to 1");

	expect_error(plot_svg(dir, &chart, &err), -EINVAL, "is not a regular file");
	expect_error(plot_svg("/nowhere/chart.svg", &chart, &err), -ENOENT, "cannot be created");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_in_svg),
		cmocka_unit_test(bars_in_svg),
		cmocka_unit_test(linear_bars_in_svg),
		cmocka_unit_test(legends_in_svg),
		cmocka_unit_test(same_description_same_file),
		cmocka_unit_test(points_refused),
		cmocka_unit_test(charts_refused),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

// SPDX-License-Identifier: MIT
/*
 * Charts in a terminal, character by character, and ticks.
 */
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/npu-run/plot_axis.h"
#include "../expect.h"
#include "plot_chart.h"

#define COUNT(x) (sizeof(x) / sizeof((x)[0]))

/* ---- Terminal --------------------------------------------------------------------------- */

static void expect_text(const struct plot *plot, struct plot_terminal terminal,
			const char *expected)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	expect_ok(plot_text(out, plot, &terminal, &err));
	assert_int_equal(fclose(out), 0);
	if (strcmp(text, expected))
		fail_msg("the chart is\n%s", text);
	free(text);
}

static void lines_in_ascii(void **state)
{
	(void)state;
	expect_text(&chart, (struct plot_terminal){ .width = 40, .height = 12 },
		    "  Title\n"
		    "\n"
		    "  top-1 %\n"
		    "  100 +............           .....o\n"
		    "      |------------............-----\n"
		    "   50 +           ...o...      ....x\n"
		    "      |      .....\n"
		    "    0 +o.....\n"
		    "      ++-------------+-------------+\n"
		    "       2             3             4\n"
		    "                   bits\n"
		    "  o first   x second   -- float\n");
}

/* Where the lines cross, their dots are in one character. */
static void lines_in_unicode(void **state)
{
	(void)state;
	expect_text(&chart, (struct plot_terminal){ .width = 40, .height = 12, .unicode = true },
		    "  Title\n"
		    "\n"
		    "  top-1 %\n"
		    "  100 ┤⠉⠉⠑⠒⠒⠢⠤⠤⢄⣀⣀⡀           ⣀⡠⠤⠒⠊●\n"
		    "      │╌╌╌╌╌╌╌╌╌╌╌⠈⠉⠉⠑⠒⠒⣢⡤⠤⢖⣊⣉⡀╌╌╌╌╌\n"
		    "   50 ┤           ⢀⣀⠤●⠊⠉      ⠈⠉⠉⠑⠒▲\n"
		    "      │     ⢀⣀⠤⠔⠒⠉⠁\n"
		    "    0 ┤●⠤⠔⠒⠉⠁\n"
		    "      └┬─────────────┬─────────────┬\n"
		    "       2             3             4\n"
		    "                   bits\n"
		    "  ● first   ▲ second   ╌╌ float\n");
}

static void colours_begin_and_end(void **state)
{
	static const struct plot_point point = { 1, 1 };
	static const struct plot_series series[] = {
		{ "a", PLOT_POINTS, &point, 1 },
		{ "b", PLOT_LINE, &point, 0 },
	};
	static const struct plot plot = { .title = "", .series = series, .series_count = 2 };

	(void)state;
	expect_text(&plot, (struct plot_terminal){ .width = 40, .height = 1, .colour = true },
		    "  \n"
		    "\n"
		    "  1.1 +\n"
		    "      |\n"
		    "  1.0 +              \033[36mo\033[0m\n"
		    "      |\n"
		    "  0.9 +\n"
		    "      ++-------------+-------------+\n"
		    "      0.9           1.0           1.1\n"
		    "  \033[36mo\033[0m a   \033[33mx\033[0m b\n");
}

/* A narrow bar is seen, as is a low one; none is not. */
static void bars_in_unicode(void **state)
{
	static const struct plot_point points[] = { { 0, 3 },	 { 0.25, 0 },	  { 0.5, -1 },
						    { 0.75, 2 }, { 0.76, 0.001 }, { 1, 9 } };
	static const struct plot_series series = { "bars", PLOT_BARS, points, COUNT(points) };
	static const struct plot plot = { .title = "Bars", .series = &series, .series_count = 1 };

	(void)state;
	expect_text(&plot, (struct plot_terminal){ .width = 40, .height = 12, .unicode = true },
		    "  Bars\n"
		    "\n"
		    "   4 ┤▁▁▁▁▁▁▁▁\n"
		    "   2 ┤████████              ▃\n"
		    "     │████████              █\n"
		    "   0 ┤               ▅▅▅▅▅▅▅▆▆▆▆▆▆▆▆\n"
		    "  -2 ┤\n"
		    "     └┬──────────────┬─────────────┬\n"
		    "     0.0            0.5           1.0\n"
		    "  █ bars\n");
	expect_text(&plot, (struct plot_terminal){ .width = 40, .height = 12 },
		    "  Bars\n"
		    "\n"
		    "   4 +........\n"
		    "   2 +########              .\n"
		    "     |########              #\n"
		    "   0 +               ###############\n"
		    "  -2 +\n"
		    "     ++--------------+-------------+\n"
		    "     0.0            0.5           1.0\n"
		    "  # bars\n");
}

/* A vertical limit, both axes logarithmic, a text that is not for a terminal, a long legend. */
static void logarithms_in_ascii(void **state)
{
	static const struct plot_point points[] = { { 1, 1e6 }, { 16, 1e9 }, { 256, 1e9 } };
	static const struct plot_series series = { "a name of thirty characters ..", PLOT_LINE,
						   points, 3 };
	static const struct plot_limit ridge = { "\033[31mridge\xff\xc2\x9b", true, 16 };
	static const struct plot plot = {
		.title = "R\xc3\xa9",
		.x = { "MACs per byte", PLOT_LOG2, 0, 0 },
		.y = { "MAC/s", PLOT_LOG10, 0, 0 },
		.series = &series,
		.series_count = 1,
		.limits = &ridge,
		.limit_count = 1,
	};

	(void)state;
	expect_text(&plot, (struct plot_terminal){ .width = 40, .height = 12 },
		    "  R\xc3\xa9\n"
		    "\n"
		    "  MAC/s\n"
		    "       |           ................o\n"
		    "  100M +        ...   :\n"
		    "       |     ...      :\n"
		    "       |  ...         :\n"
		    "    1M +..            :\n"
		    "       ++---------+----------+------\n"
		    "        1         8         64\n"
		    "               MACs per byte\n"
		    "  o a name of thirty characters ..\n"
		    "  : ?[31mridge??\n");
}

/* Labels that would touch are left out, their ticks are not. */
static void long_labels_in_ascii(void **state)
{
	static const struct plot_point points[] = { { 0.00012345, 1 }, { 0.00012375, 2 } };
	static const struct plot_series series = { "s", PLOT_POINTS, points, 2 };
	static const struct plot plot = { .title = "", .series = &series, .series_count = 1 };

	(void)state;
	expect_text(&plot, (struct plot_terminal){ .width = 40, .height = 12 },
		    "  \n"
		    "\n"
		    "  2.0 +                         o\n"
		    "      |\n"
		    "  1.5 +\n"
		    "      |\n"
		    "  1.0 +   o\n"
		    "      ++------+------+------+------+\n"
		    "   0.0001234     0.0001236     0.0001238\n"
		    "  o s\n");
}

/* Charts of all sizes, also such that nobody has, end in a line end and stay in their width. */
static void any_size(void **state)
{
	static const int sizes[] = { -5, 0, 39, 40, 41, 73, 200, 400, 100000 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes) * COUNT(sizes); i++) {
		struct plot_terminal terminal = { sizes[i % COUNT(sizes)], sizes[i / COUNT(sizes)],
						  false, false };
		char *text = NULL, *line, *next;
		size_t length;
		FILE *out = open_memstream(&text, &length);

		assert_non_null(out);
		expect_ok(plot_text(out, &chart, &terminal, &err));
		assert_int_equal(fclose(out), 0);
		for (line = text; *line; line = next + 1) {
			next = strchr(line, '\n');
			assert_non_null(next);
			assert_true(next - line <= (terminal.width < 40 ? 40 : terminal.width));
			assert_true(next == line || next[-1] != ' ');
		}
		free(text);
	}
}

static void terminals_are_asked(void **state)
{
	struct winsize size = { .ws_row = 50, .ws_col = 57 };
	struct plot_terminal terminal;
	FILE *out = tmpfile(), *tty;
	int master, slave;

	(void)state;
	assert_non_null(out);
	setenv("TERM", "xterm", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	unsetenv("NO_COLOR");
	plot_terminal(out, &terminal);
	assert_int_equal(terminal.width, 80);
	assert_true(terminal.unicode);
	assert_false(terminal.colour);
	fclose(out);

	assert_int_equal(openpty(&master, &slave, NULL, NULL, &size), 0);
	tty = fdopen(slave, "w");
	assert_non_null(tty);
	plot_terminal(tty, &terminal);
	assert_int_equal(terminal.width, 57);
	assert_true(terminal.colour);
	setenv("NO_COLOR", "1", 1);
	plot_terminal(tty, &terminal);
	assert_false(terminal.colour);
	unsetenv("NO_COLOR");
	setenv("TERM", "dumb", 1);
	setenv("LC_ALL", "C", 1);
	plot_terminal(tty, &terminal);
	assert_false(terminal.colour);
	assert_false(terminal.unicode);
	fclose(tty);
	close(master);
}

/* ---- Ticks ------------------------------------------------------------------------------ */

static void ticks_are_round(void **state)
{
	static const struct {
		enum plot_scale scale;
		double low, high;
		const char *texts;
	} cases[] = {
		{ PLOT_LINEAR, 2, 8, "2 3 4 5 6 7 8" },
		{ PLOT_LINEAR, 88.71, 89.62, "88.6 88.8 89.0 89.2 89.4 89.6 89.8" },
		{ PLOT_LINEAR, -0.3, 1.1, "-0.4 -0.2 0.0 0.2 0.4 0.6 0.8 1.0 1.2" },
		{ PLOT_LINEAR, 0, 30000, "0 5000 10k 15k 20k 25k 30k" },
		{ PLOT_LINEAR, -2e-9, 3e-9, "-2e-09 -1e-09 0 1e-09 2e-09 3e-09" },
		{ PLOT_LINEAR, 5, 5, "4.4 4.6 4.8 5.0 5.2 5.4 5.6" },
		{ PLOT_LINEAR, 1e17, 1e17 + 16, "90P 95P 100P 105P 110P" },
		{ PLOT_LINEAR, -1e300, 1e300, "-1e+300 -5e+299 0 5e+299 1e+300" },
		{ PLOT_LINEAR, 0, 999.999e15, "0 200P 400P 600P 800P 1e+18" },
		{ PLOT_LOG10, 3, 2000, "1 10 100 1000 10k" },
		{ PLOT_LOG10, 1e-7, 1e9, "1e-7 0.0001 0.1 100 100k 100M" },
		{ PLOT_LOG10, 10, 10, "1 10 100" },
		{ PLOT_LOG10, 1e-300, 1e300, "1e-300 1e-214 1e-128 1e-42 1e44 1e130 1e216" },
		{ PLOT_LOG2, 0.3, 6000, "0.25 2 16 128 1Ki 8Ki" },
		{ PLOT_LOG2, 1, 64, "1 2 4 8 16 32 64" },
		{ PLOT_LOG2, 0x1p-10, 0x1p70, "2^-10 4 16Ki 64Mi 256Gi 1Pi 4Ei" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct plot plot = { .x = { "", cases[i].scale, cases[i].low,
						  cases[i].high } };
		struct plot_range range;
		char texts[256] = "";

		plot_layout(&plot, false, 7, &range);
		for (size_t t = 0; t < range.tick_count; t++) {
			double place = plot_place(&range, range.ticks[t].at);

			if (t)
				strcat(texts, " ");
			strcat(texts, range.ticks[t].text);
			assert_true(place > -1e-9 && place < 1 + 1e-9);
		}
		if (strcmp(texts, cases[i].texts))
			fail_msg("%g to %g: '%s', not '%s'", cases[i].low, cases[i].high, texts,
				 cases[i].texts);
		assert_true(plot_place(&range, cases[i].low) > -1e-9);
		assert_true(plot_place(&range, cases[i].high) < 1 + 1e-9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_in_ascii),
		cmocka_unit_test(lines_in_unicode),
		cmocka_unit_test(colours_begin_and_end),
		cmocka_unit_test(bars_in_unicode),
		cmocka_unit_test(logarithms_in_ascii),
		cmocka_unit_test(long_labels_in_ascii),
		cmocka_unit_test(any_size),
		cmocka_unit_test(terminals_are_asked),
		cmocka_unit_test(ticks_are_round),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

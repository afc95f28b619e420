// SPDX-License-Identifier: MIT
/* Checks charts, lays out axes, and counts characters. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "error.h"
#include "plot_axis.h"

/* ---- Checks ----------------------------------------------------------------------------- */

/* Far enough from the ends of double that no sum, difference or power of ten leaves it. */
#define LARGEST 1e300
#define SMALLEST 1e-300

static bool has_place(const struct plot_axis *axis, double value)
{
	return fabs(value) <= LARGEST && (axis->scale == PLOT_LINEAR || value >= SMALLEST);
}

static int check_point(const struct plot *plot, const struct plot_series *series, size_t i,
		       struct npu_error *err)
{
	const struct plot_point *point = &series->points[i];
	bool no_bar = series->style == PLOT_BARS && point->y == 0;

	if (!has_place(&plot->x, point->x) || (!no_bar && !has_place(&plot->y, point->y)))
		return error_set(err, -EINVAL,
				 "the chart has no place for point %zu of '%.60s', which is at %g, "
				 "%g",
				 i, series->name, point->x, point->y);
	if (series->style == PLOT_BARS && i && point->x <= series->points[i - 1].x)
		return error_set(err, -EINVAL,
				 "the chart has bars in '%.60s' that are not in order at point %zu",
				 series->name, i);
	return 0;
}

static int check_ends(const struct plot_axis *axis, const char *name, struct npu_error *err)
{
	if (axis->low == 0 && axis->high == 0)
		return 0;
	if (!has_place(axis, axis->low) || !has_place(axis, axis->high) || axis->low > axis->high)
		return error_set(err, -EINVAL, "the chart cannot have the %s axis from %g to %g",
				 name, axis->low, axis->high);
	return 0;
}

int plot_check(const struct plot *plot, struct npu_error *err)
{
	size_t points = 0;
	int ret = check_ends(&plot->x, "x", err);

	if (!ret)
		ret = check_ends(&plot->y, "y", err);
	if (!ret && plot->series_count > PLOT_MAX_SERIES)
		ret = error_set(err, -EINVAL, "the chart has %zu series, more than %d",
				plot->series_count, PLOT_MAX_SERIES);
	for (size_t s = 0; s < plot->series_count && !ret; s++) {
		points += plot->series[s].count;
		for (size_t i = 0; i < plot->series[s].count && !ret; i++)
			ret = check_point(plot, &plot->series[s], i, err);
	}
	for (size_t i = 0; i < plot->limit_count && !ret; i++) {
		const struct plot_limit *limit = &plot->limits[i];

		if (!has_place(limit->vertical ? &plot->x : &plot->y, limit->at))
			ret = error_set(err, -EINVAL,
					"the chart has no place for the limit '%.60s' at %g",
					limit->name, limit->at);
	}
	if (!ret && !points)
		ret = error_set(err, -EINVAL, "the chart has no points");
	return ret;
}

/* ---- Numbers ---------------------------------------------------------------------------- */

void plot_number(double value, char *text, size_t room)
{
	static const char suffixes[] = "kMGTP";
	double most = fabs(value) < 999.95e15 ? 9999.5 : INFINITY;
	int step = -1;

	for (; fabs(value) >= most; most = 999.95, step++)
		value /= 1000;
	if (step < 0)
		snprintf(text, room, "%.4g", value);
	else
		snprintf(text, room, "%.4g%c", value, suffixes[step]);
}

/* Powers of two have names of their own: 16384 is 16Ki. */
static void power_text(double exponent, char *text, size_t room)
{
	static const char suffixes[] = "KMGTPE";
	int step = (int)floor(exponent / 10);

	if (step > 0 && step <= 6)
		snprintf(text, room, "%g%ci", exp2(exponent - 10 * step), suffixes[step - 1]);
	else if (exponent >= -6 && exponent < 10)
		snprintf(text, room, "%g", exp2(exponent));
	else
		snprintf(text, room, "2^%g", exponent);
}

/* ---- Ticks ------------------------------------------------------------------------------ */

static double mapped(enum plot_scale scale, double value)
{
	return scale == PLOT_LOG2 ? log2(value) : scale == PLOT_LOG10 ? log10(value) : value;
}

static struct plot_tick *add_tick(struct plot_range *range, double at)
{
	struct plot_tick *tick = &range->ticks[range->tick_count++];

	tick->at = at;
	return tick;
}

/* The least of 1, 2 and 5 times a power of ten that is no less. */
static double round_step(double least)
{
	static const double digits[] = { 1, 2, 5, 10 };
	double power = pow(10, floor(log10(least)));
	int i = 0;

	while (digits[i] * power < least * (1 - 1e-9) && i < 3)
		i++;
	return digits[i] * power;
}

static void linear_ticks(struct plot_range *range, unsigned int wanted)
{
	double largest = fmax(fabs(range->low), fabs(range->high)), step, first, last;

	/* One value has no extent, and what differs in the last digits as good as none. */
	if (range->high - range->low <= fmax(1e-12 * largest, SMALLEST)) {
		double around = largest > SMALLEST ? largest / 10 : 1;

		range->low -= around;
		range->high += around;
	}
	step = round_step((range->high - range->low) / wanted);
	first = floor(range->low / step + 1e-9);
	last = ceil(range->high / step - 1e-9);
	range->low = first * step;
	range->high = last * step;
	for (double n = first; n <= last; n++) {
		int decimals = step < 1 ? (int)-floor(log10(step) + 1e-9) : 0;
		struct plot_tick *tick = add_tick(range, n * step);

		/* All with as many decimals, so that they line up. */
		if (fabs(n * step) < 9999.5 && decimals <= 6)
			snprintf(tick->text, sizeof(tick->text), "%.*f", decimals, n * step + 0.0);
		else
			plot_number(n * step, tick->text, sizeof(tick->text));
	}
}

/* From power to power, of which every one or every second, third ... has a tick. */
static void power_ticks(struct plot_range *range, unsigned int wanted)
{
	double base = range->scale == PLOT_LOG2 ? 2 : 10, stride;

	range->low = floor(range->low + 1e-9);
	range->high = ceil(range->high - 1e-9);
	if (range->low == range->high) {
		range->low--;
		range->high++;
	}
	stride = ceil((range->high - range->low) / wanted);
	for (double n = range->low; n <= range->high; n += stride) {
		struct plot_tick *tick = add_tick(range, pow(base, n));

		if (base == 2)
			power_text(n, tick->text, sizeof(tick->text));
		else if (n >= -4 && n < 18)
			plot_number(pow(10, n), tick->text, sizeof(tick->text));
		else
			snprintf(tick->text, sizeof(tick->text), "1e%g", n);
	}
}

/* ---- Layout ----------------------------------------------------------------------------- */

static void include(struct plot_range *range, double value)
{
	double at = mapped(range->scale, value);

	range->low = fmin(range->low, at);
	range->high = fmax(range->high, at);
}

static void include_series(struct plot_range *range, const struct plot_series *series,
			   bool vertical)
{
	for (size_t i = 0; i < series->count; i++) {
		/* The y of the point that ends the last bar means nothing. */
		bool end = series->style == PLOT_BARS && i + 1 == series->count;
		double value = vertical ? series->points[i].y : series->points[i].x;

		/* The lowest bar on a logarithmic axis is to have a height. */
		if (vertical && series->style == PLOT_BARS && range->scale != PLOT_LINEAR)
			value /= 2;
		if (!(vertical && end) && (range->scale == PLOT_LINEAR || value > 0))
			include(range, value);
	}
	/* Bars begin at 0. */
	if (vertical && series->style == PLOT_BARS && range->scale == PLOT_LINEAR && series->count)
		include(range, 0);
}

void plot_layout(const struct plot *plot, bool vertical, unsigned int wanted,
		 struct plot_range *range)
{
	const struct plot_axis *axis = vertical ? &plot->y : &plot->x;

	/* Round ends may need a tick more on either side. */
	if (wanted > PLOT_MAX_TICKS - 4)
		wanted = PLOT_MAX_TICKS - 4;
	*range = (struct plot_range){ .scale = axis->scale, .low = INFINITY, .high = -INFINITY };
	if (axis->low != 0 || axis->high != 0) {
		include(range, axis->low);
		include(range, axis->high);
	}
	for (size_t i = 0; i < plot->series_count; i++)
		include_series(range, &plot->series[i], vertical);
	for (size_t i = 0; i < plot->limit_count; i++)
		if (plot->limits[i].vertical != vertical)
			include(range, plot->limits[i].at);
	/* All bars may be without height. */
	if (range->low > range->high)
		range->low = range->high = 0;
	if (axis->scale == PLOT_LINEAR)
		linear_ticks(range, wanted);
	else
		power_ticks(range, wanted);
}

double plot_place(const struct plot_range *range, double value)
{
	return (mapped(range->scale, value) - range->low) / (range->high - range->low);
}

bool plot_has_bar(const struct plot_range *y, double value)
{
	return y->scale == PLOT_LINEAR ? value != 0 : value > 0;
}

double plot_baseline(const struct plot_range *y)
{
	return y->scale == PLOT_LINEAR ? fmin(1, fmax(0, plot_place(y, 0))) : 0;
}

/* ---- Texts ------------------------------------------------------------------------------ */

bool plot_character(const char **text, char bytes[5])
{
	const unsigned char *at = (const unsigned char *)*text;
	size_t length = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4, i = 1;
	bool shown =
		at[0] >= 0x20 && at[0] != 0x7f && (at[0] < 0x80 || at[0] >= 0xc2) && at[0] < 0xf5;

	if (!at[0])
		return false;
	while (shown && i < length && (at[i] & 0xc0) == 0x80)
		i++;
	/* 0x80 to 0x9f are control characters, too. */
	if (!shown || i < length || (at[0] == 0xc2 && at[1] < 0xa0)) {
		strcpy(bytes, "?");
	} else {
		memcpy(bytes, at, length);
		bytes[length] = '\0';
	}
	*text += i;
	return true;
}

size_t plot_length(const char *text)
{
	size_t length = 0;
	char bytes[5];

	while (plot_character(&text, bytes))
		length++;
	return length;
}

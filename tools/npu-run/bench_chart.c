// SPDX-License-Identifier: MIT
/*
 * Measurements as a roofline chart (Williams, Waterman, Patterson 2009). With i operations for each
 * byte an engine does at most min(peak, i * bandwidth): a slope, and a roof from where the two
 * meet.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench_chart.h"
#include "error.h"
#include "plot.h"

/* Points of a roof: where it begins, where it bends, where it ends. */
#define ROOF_POINTS 3

/*
 * struct chart - a chart and what it points to
 * @low, @high: Ends of the axis of operations for each byte.
 */
struct chart {
	struct plot plot;
	struct plot_series series[PLOT_MAX_SERIES];
	char name[PLOT_MAX_SERIES][64];
	struct plot_point roof[PLOT_MAX_SERIES][ROOF_POINTS];
	struct plot_point *points;
	double low, high;
};

static double peak_gops(const struct npu_device_info *info)
{
	return 2e-9 * info->macs_per_cycle * (double)info->clock_hz;
}

static double peak_gbytes(const struct npu_device_info *info)
{
	return 1e-9 * info->bus_bytes_per_cycle * (double)info->clock_hz;
}

/* An engine whose clock is unknown, and a CPU, have no known roof. */
static bool has_roof(const struct npu_device_info *info)
{
	return info->clock_hz && info->macs_per_cycle && info->bus_bytes_per_cycle;
}

static void widen(struct chart *chart, double intensity)
{
	if (chart->low == 0 || intensity < chart->low)
		chart->low = intensity;
	if (intensity > chart->high)
		chart->high = intensity;
}

/* All shapes, and the bend of each roof, with room on both sides. */
static void find_ends(const struct bench_report *report, struct chart *chart)
{
	for (size_t i = 0; i < report->count; i++)
		widen(chart, bench_intensity(&report->results[i]));
	for (size_t d = 0; d < report->device_count; d++) {
		const struct npu_device_info *info = &report->devices[d].info;

		if (has_roof(info))
			widen(chart, peak_gops(info) / peak_gbytes(info));
	}
	chart->low /= 2;
	chart->high *= 2;
}

static const char *device_name(const struct npu_device_info *info, char text[64])
{
	if (info->node[0])
		snprintf(text, 64, "%s, %.32s", info->backend, info->name);
	else
		snprintf(text, 64, "cpu:%u, %.24s", info->threads, info->name);
	return text;
}

static struct plot_series *add(struct chart *chart, enum plot_style style,
			       const struct plot_point *points, size_t count)
{
	struct plot_series *series = chart->series + chart->plot.series_count;

	*series = (struct plot_series){
		.name = chart->name[chart->plot.series_count],
		.style = style,
		.points = points,
		.count = count,
	};
	chart->plot.series_count++;
	return series;
}

/* Devices of the same configuration and clock have one roof. */
static bool roof_is_there(const struct bench_report *report, size_t d)
{
	const struct npu_device_info *info = &report->devices[d].info;

	for (size_t i = 0; i < d; i++) {
		const struct npu_device_info *other = &report->devices[i].info;

		if (has_roof(other) && peak_gops(other) == peak_gops(info) &&
		    peak_gbytes(other) == peak_gbytes(info))
			return true;
	}
	return false;
}

static void add_roof(struct chart *chart, const struct npu_device_info *info)
{
	const double gops = peak_gops(info), gbytes = peak_gbytes(info);
	struct plot_point *roof = chart->roof[chart->plot.series_count];

	roof[0] = (struct plot_point){ chart->low, chart->low * gbytes };
	roof[1] = (struct plot_point){ gops / gbytes, gops };
	roof[2] = (struct plot_point){ chart->high, gops };
	snprintf(chart->name[chart->plot.series_count], sizeof(chart->name[0]), "limit of %.32s",
		 info->name);
	add(chart, PLOT_LINE, roof, ROOF_POINTS);
}

/* Results of one device; their place is behind those of the devices before. */
static void add_device(struct chart *chart, const struct bench_report *report, size_t d)
{
	struct plot_point *points = chart->points + d * report->count;
	size_t count = 0;

	for (size_t i = d; i < report->count; i += report->device_count)
		points[count++] = (struct plot_point){
			bench_intensity(&report->results[i]),
			bench_gops(&report->results[i]),
		};
	device_name(&report->devices[d].info, chart->name[chart->plot.series_count]);
	if (count)
		add(chart, PLOT_POINTS, points, count);
}

static int make(const struct bench_report *report, struct chart *chart, struct npu_error *err)
{
	*chart = (struct chart){
		.plot = {
			.title = "int8 matrix multiplication",
			.description = "Roofline: operations a second over operations for each "
				       "byte, each operand and result counted once.",
			.x = { .label = "operations for each byte", .scale = PLOT_LOG2 },
			.y = { .label = "GOPS", .scale = PLOT_LOG10 },
		},
	};
	chart->plot.series = chart->series;
	if (!report->count)
		return error_set(err, -EINVAL, "there is nothing to draw");
	chart->points = calloc(report->device_count * report->count, sizeof(*chart->points));
	if (!chart->points)
		return error_set(err, -ENOMEM, "out of memory for a chart");
	find_ends(report, chart);
	/* Devices first: of their limits there may be fewer than there are. */
	for (size_t d = 0; d < report->device_count; d++)
		add_device(chart, report, d);
	for (size_t d = 0; d < report->device_count; d++)
		if (chart->plot.series_count < PLOT_MAX_SERIES &&
		    has_roof(&report->devices[d].info) && !roof_is_there(report, d))
			add_roof(chart, &report->devices[d].info);
	return 0;
}

int bench_chart_print(const struct bench_report *report, struct npu_error *err)
{
	struct plot_terminal terminal;
	struct chart chart;
	int ret = make(report, &chart, err);

	if (ret)
		return ret;
	plot_terminal(stdout, &terminal);
	ret = plot_text(stdout, &chart.plot, &terminal, err);
	free(chart.points);
	return ret;
}

int bench_chart_save(const struct bench_report *report, const char *path, struct npu_error *err)
{
	struct chart chart;
	int ret = make(report, &chart, err);

	if (ret)
		return ret;
	ret = plot_svg(path, &chart.plot, err);
	free(chart.points);
	return ret;
}

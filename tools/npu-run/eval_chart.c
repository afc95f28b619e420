// SPDX-License-Identifier: MIT
/* What "npu-run eval" draws. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "eval_chart.h"
#include "plot.h"

/* The last bins have no far end; this is drawn as one, in widths of the range. */
#define FAR 4.0

/*
 * struct chart - a plot and what it points to
 * @room: Points of a series, at most.
 */
struct chart {
	struct plot plot;
	struct plot_series series[PLOT_MAX_SERIES];
	struct plot_limit limits[2];
	char name[PLOT_MAX_SERIES][TECHNIQUE_TEXT];
	char limit_name[32];
	struct plot_point *points;
	size_t room;
};

static int chart_create(struct chart *chart, size_t room, struct npu_error *err)
{
	*chart = (struct chart){ .room = room };
	chart->points = calloc(PLOT_MAX_SERIES * room, sizeof(*chart->points));
	if (!chart->points)
		return error_set(err, -ENOMEM, "out of memory for a chart");
	chart->plot.series = chart->series;
	chart->plot.limits = chart->limits;
	return 0;
}

static struct plot_point *points_of(struct chart *chart, size_t series)
{
	return chart->points + series * chart->room;
}

static void add_point(struct chart *chart, size_t series, double x, double y)
{
	points_of(chart, series)[chart->series[series].count++] = (struct plot_point){ x, y };
}

static size_t add_series(struct chart *chart, const char *name, enum plot_style style)
{
	size_t index = chart->plot.series_count++;

	snprintf(chart->name[index], TECHNIQUE_TEXT, "%s", name);
	chart->series[index] = (struct plot_series){
		.name = chart->name[index],
		.style = style,
		.points = points_of(chart, index),
	};
	return index;
}

/* ---- Accuracy against bits -------------------------------------------------------------- */

/* The technique's line. What there are too many of goes into the last one. */
static size_t find_series(struct chart *chart, const struct subject *subject)
{
	const enum weight_form form = subject->network.layer[0].type.form;
	char name[TECHNIQUE_TEXT];

	snprintf(name, sizeof(name), "%s %.140s", weight_form_names[form],
		 subject->network.technique);
	for (size_t i = 0; i < chart->plot.series_count; i++)
		if (!strcmp(chart->name[i], name))
			return i;
	if (chart->plot.series_count < PLOT_MAX_SERIES)
		return add_series(chart, name, PLOT_LINE_POINTS);
	snprintf(chart->name[PLOT_MAX_SERIES - 1], TECHNIQUE_TEXT, "others");
	chart->series[PLOT_MAX_SERIES - 1].style = PLOT_POINTS;
	return PLOT_MAX_SERIES - 1;
}

static int by_x(const void *a, const void *b)
{
	const struct plot_point *p = a, *q = b;

	return p->x < q->x ? -1 : p->x > q->x;
}

static void fill_accuracy(struct chart *chart, const struct eval_report *report)
{
	const struct npu_scores *first = &report->subjects[0].scores;

	chart->plot.title = "Accuracy against bits of weights";
	chart->plot.x = (struct plot_axis){ .label = "bits of a weight" };
	chart->plot.y.label = report->labelled ? "top-1, %" : "agreement with float, %";
	for (uint32_t i = 0; i < report->count; i++) {
		const struct subject *s = &report->subjects[i];
		const struct npu_scores *scores = &s->scores;
		double right = (double)(report->labelled ? scores->top1 : scores->agreed);

		add_point(chart, find_series(chart, s), subject_bits(s),
			  100 * right / (double)scores->rows);
	}
	for (size_t i = 0; i < chart->plot.series_count; i++)
		qsort(points_of(chart, i), chart->series[i].count, sizeof(struct plot_point), by_x);
	if (!report->labelled)
		return;
	chart->limits[0].at =
		100 * (double)first->reference_top1 / (double)first->reference_labelled;
	snprintf(chart->limit_name, sizeof(chart->limit_name), "float, %.2f %%",
		 chart->limits[0].at);
	chart->limits[0].name = chart->limit_name;
	chart->plot.limit_count = 1;
}

/* ---- Values in their ranges ------------------------------------------------------------- */

/* How dense values are, in percent of all for a step of one bin inside of the range. */
static void add_histogram(struct chart *chart, const char *name, const struct npu_clipping *c)
{
	size_t series;

	if (chart->plot.series_count == PLOT_MAX_SERIES || !c->count)
		return;
	series = add_series(chart, name, PLOT_LINE_POINTS);
	for (unsigned int i = 0; i < NPU_CLIPPING_BINS; i++) {
		double low = i ? npu_clipping_edge(i) : -FAR;
		double high = i + 1 < NPU_CLIPPING_BINS ? npu_clipping_edge(i + 1) : 1 + FAR;
		double density = (double)c->bins[i] / (high - low) / NPU_CLIPPING_INSIDE;

		/* A logarithm of nothing is nowhere. */
		if (c->bins[i])
			add_point(chart, series, (low + high) / 2,
				  100 * density / (double)c->count);
	}
}

static void fill_ranges(struct chart *chart, const struct eval_report *report)
{
	const struct subject *s = report->subjects;
	char name[TECHNIQUE_TEXT];

	chart->plot.title = "Where the float network's values lie in their ranges";
	chart->plot.x = (struct plot_axis){ .label = "place, in widths of the range" };
	chart->plot.y = (struct plot_axis){ .label = "values, % in 1/32 of the range",
					    .scale = PLOT_LOG10 };
	for (uint32_t i = 0; i < s->network.count; i++) {
		if (!s->layer[i].clips)
			continue;
		snprintf(name, sizeof(name), "inputs of %.64s", s->network.layer[i].name);
		add_histogram(chart, name, &s->layer[i].clipping);
	}
	if (s->network.quantized_output)
		add_histogram(chart, "outputs", &s->output);
	chart->limits[0] = (struct plot_limit){ "lowest", true, 0 };
	chart->limits[1] = (struct plot_limit){ "highest", true, 1 };
	chart->plot.limit_count = 2;
}

static int draw(const struct plot *plot, bool text, const char *svg, struct npu_error *err)
{
	struct plot_terminal terminal;
	struct npu_error why;
	int ret = 0;

	if (text) {
		plot_terminal(stdout, &terminal);
		putchar('\n');
		ret = plot_text(stdout, plot, &terminal, err);
	}
	if (ret || !svg)
		return ret;
	ret = plot_svg(svg, plot, &why);
	if (ret)
		error_set(err, ret, "%s: %.180s", svg, why.text);
	return ret;
}

int eval_chart_check(const struct subject *subjects, uint32_t count, struct npu_error *err)
{
	const struct quant_network *network = &subjects->network;

	if (count > 1 || network->quantized_output)
		return 0;
	for (uint32_t i = 0; i < network->count; i++)
		if (subjects->layer[i].clips)
			return 0;
	return error_set(err, -EINVAL,
			 "%s: has no range that is known ahead, so there is nothing to draw: that "
			 "takes static activations, or several networks",
			 subjects->path);
}

int eval_chart(const struct eval_report *report, bool text, const char *svg, struct npu_error *err)
{
	struct chart chart;
	int ret;

	ret = chart_create(&chart, report->count + NPU_CLIPPING_BINS, err);
	if (ret)
		return ret;
	if (report->count > 1)
		fill_accuracy(&chart, report);
	else
		fill_ranges(&chart, report);
	ret = draw(&chart.plot, text, svg, err);
	free(chart.points);
	return ret;
}

// SPDX-License-Identifier: MIT
/*
 * Draws charts as SVG. Series differ in colour, and in the shape of their points or the dashes of
 * their lines. Every point says its values when it is pointed at.
 */
#include <math.h>
#include <string.h>

#include "plot_axis.h"
#include "save.h"

#define WIDTH 720
#define LEFT 76
#define RIGHT 24
#define TOP 64
#define DRAWING_WIDTH (WIDTH - LEFT - RIGHT)
#define DRAWING_HEIGHT 320
#define BOTTOM (TOP + DRAWING_HEIGHT)
#define LEGEND (BOTTOM + 68)
#define LEGEND_LINE 22

/* What a character of the legend takes on the average; fonts differ. */
#define CHARACTER 7.4
#define SIGN 30
#define GAP 22

struct drawing {
	const struct plot *plot;
	FILE *out;
	struct plot_range x, y;
};

/* Blue, orange, purple, green, brown, red, teal, grey; for who sees fewer, they differ in
 * lightness, too. */
static const char *const light[PLOT_MAX_SERIES] = { "#1a5fb4", "#c64600", "#813d9c", "#26794e",
						    "#63452c", "#a51d2d", "#0b7285", "#5e5c64" };
static const char *const dark[PLOT_MAX_SERIES] = { "#78aeed", "#ffa348", "#d59ae6", "#6fd39c",
						   "#cdab8f", "#ff7b84", "#63d3e6", "#c0bfbc" };

static double at_x(const struct drawing *drawing, double x)
{
	return LEFT + plot_place(&drawing->x, x) * DRAWING_WIDTH;
}

static double at_y(const struct drawing *drawing, double y)
{
	return BOTTOM - plot_place(&drawing->y, y) * DRAWING_HEIGHT;
}

static void put_text(FILE *out, const char *text)
{
	char bytes[5];

	while (plot_character(&text, bytes)) {
		switch (bytes[0]) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		default:
			fputs(bytes, out);
		}
	}
}

static void put_line(FILE *out, const char *class, double x1, double y1, double x2, double y2)
{
	fprintf(out, "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
		class, x1, y1, x2, y2);
}

static void put_label(FILE *out, const char *attributes, double x, double y, const char *text)
{
	fprintf(out, "<text %s x=\"%.1f\" y=\"%.1f\">", attributes, x, y);
	put_text(out, text);
	fputs("</text>\n", out);
}

/* ---- Frame ------------------------------------------------------------------------------- */

/* Colours are classes, because many programs know no variables of CSS. */
static void put_style(FILE *out)
{
	fputs("<style>\n"
	      "text { font: 13px system-ui, -apple-system, \"Segoe UI\", \"DejaVu Sans\", "
	      "sans-serif; fill: #24292f; }\n"
	      ".title { font-size: 16px; font-weight: 600; }\n"
	      ".paper { fill: #ffffff; }\n"
	      ".grid { stroke: #d8dee4; }\n"
	      ".axis, .limit { stroke: #57606a; }\n"
	      ".limit { stroke-dasharray: 6 4; }\n"
	      ".line { fill: none; stroke-width: 2; stroke-linejoin: round; }\n"
	      ".bar { fill-opacity: 0.6; }\n",
	      out);
	for (int i = 0; i < PLOT_MAX_SERIES; i++)
		fprintf(out, ".s%d { stroke: %s; } .f%d { fill: %s; }\n", i, light[i], i, light[i]);
	fputs("@media (prefers-color-scheme: dark) {\n"
	      "text { fill: #e6edf3; }\n"
	      ".paper { fill: #0d1117; }\n"
	      ".grid { stroke: #30363d; }\n"
	      ".axis, .limit { stroke: #9198a1; }\n",
	      out);
	for (int i = 0; i < PLOT_MAX_SERIES; i++)
		fprintf(out, ".s%d { stroke: %s; } .f%d { fill: %s; }\n", i, dark[i], i, dark[i]);
	fputs("}\n</style>\n", out);
}

static void put_description(const struct drawing *drawing)
{
	const struct plot *plot = drawing->plot;

	fputs("<desc id=\"plot-desc\">", drawing->out);
	if (plot->description) {
		put_text(drawing->out, plot->description);
	} else {
		put_text(drawing->out, plot->y.label ? plot->y.label : "values");
		fputs(" over ", drawing->out);
		put_text(drawing->out, plot->x.label ? plot->x.label : "values");
		for (size_t i = 0; i < plot->series_count; i++) {
			fputs(i ? ", " : ": ", drawing->out);
			put_text(drawing->out, plot->series[i].name);
		}
	}
	fputs("</desc>\n", drawing->out);
}

static void put_axes(const struct drawing *drawing)
{
	FILE *out = drawing->out;

	for (size_t i = 0; i < drawing->y.tick_count; i++) {
		const struct plot_tick *tick = &drawing->y.ticks[i];
		double y = at_y(drawing, tick->at);

		put_line(out, "grid", LEFT, y, WIDTH - RIGHT, y);
		put_label(out, "text-anchor=\"end\"", LEFT - 8, y + 4.5, tick->text);
	}
	for (size_t i = 0; i < drawing->x.tick_count; i++) {
		const struct plot_tick *tick = &drawing->x.ticks[i];
		double x = at_x(drawing, tick->at);

		put_line(out, "grid", x, TOP, x, BOTTOM);
		put_line(out, "axis", x, BOTTOM, x, BOTTOM + 5);
		put_label(out, "text-anchor=\"middle\"", x, BOTTOM + 20, tick->text);
	}
	put_line(out, "axis", LEFT, BOTTOM, WIDTH - RIGHT, BOTTOM);
	put_line(out, "axis", LEFT, TOP, LEFT, BOTTOM);
	put_label(out, "class=\"title\"", 16, 26, drawing->plot->title);
	if (drawing->plot->y.label)
		put_label(out, "", 16, TOP - 14, drawing->plot->y.label);
	if (drawing->plot->x.label)
		put_label(out, "text-anchor=\"middle\"", LEFT + DRAWING_WIDTH / 2.0, BOTTOM + 42,
			  drawing->plot->x.label);
}

/* ---- Series ------------------------------------------------------------------------------ */

/* Shapes around 0, 0: circle, triangle, square, diamond, and these turned or crossed. */
static const char *const shapes[PLOT_MAX_SERIES] = {
	"M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z",
	"M0,-5L5,4L-5,4z",
	"M-4,-4H4V4H-4z",
	"M0,-5.5L5.5,0L0,5.5L-5.5,0z",
	"M0,5L5,-4L-5,-4z",
	"M-5,-2H-2V-5H2V-2H5V2H2V5H-2V2H-5z",
	"M-5,-5L0,-2L5,-5L2,0L5,5L0,2L-5,5L-2,0z",
	"M-2,-5H2V5H-2z",
};
static const char *const dashes[PLOT_MAX_SERIES] = { "none", "8 3", "2 3", "8 3 2 3",
						     "12 4", "4 2", "1 4", "12 3 2 3" };

static void put_values(const struct drawing *drawing, const struct plot_series *series,
		       const struct plot_point *point)
{
	fputs("<title>", drawing->out);
	put_text(drawing->out, series->name);
	fprintf(drawing->out, ": %.6g, %.6g</title>", point->x, point->y);
}

static void put_shape(FILE *out, size_t index, double x, double y)
{
	fprintf(out, "<path class=\"f%zu\" transform=\"translate(%.1f %.1f)\" d=\"%s\"", index, x,
		y, shapes[index]);
}

static void put_points(const struct drawing *drawing, size_t index)
{
	const struct plot_series *series = &drawing->plot->series[index];

	for (size_t i = 0; i < series->count; i++) {
		put_shape(drawing->out, index, at_x(drawing, series->points[i].x),
			  at_y(drawing, series->points[i].y));
		fputc('>', drawing->out);
		put_values(drawing, series, &series->points[i]);
		fputs("</path>\n", drawing->out);
	}
}

/* With points to tell it by, a line needs no dashes. */
static const char *dashes_of(const struct plot *plot, size_t index)
{
	return plot->series[index].style == PLOT_LINE ? dashes[index] : "none";
}

static void put_polyline(const struct drawing *drawing, size_t index)
{
	const struct plot_series *series = &drawing->plot->series[index];

	fprintf(drawing->out, "<polyline class=\"line s%zu\" stroke-dasharray=\"%s\" points=\"",
		index, dashes_of(drawing->plot, index));
	for (size_t i = 0; i < series->count; i++)
		fprintf(drawing->out, "%s%.1f,%.1f", i ? " " : "",
			at_x(drawing, series->points[i].x), at_y(drawing, series->points[i].y));
	fputs("\"/>\n", drawing->out);
}

static void put_bars(const struct drawing *drawing, size_t index)
{
	const struct plot_series *series = &drawing->plot->series[index];
	double base = BOTTOM - plot_baseline(&drawing->y) * DRAWING_HEIGHT;

	for (size_t i = 0; i + 1 < series->count; i++) {
		const struct plot_point *point = &series->points[i];
		double left = at_x(drawing, point->x), right = at_x(drawing, point[1].x), top;

		if (!plot_has_bar(&drawing->y, point->y))
			continue;
		top = at_y(drawing, point->y);
		fprintf(drawing->out,
			"<rect class=\"bar f%zu s%zu\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
			"height=\"%.1f\">",
			index, index, left, fmin(top, base), right - left, fabs(base - top));
		put_values(drawing, series, point);
		fputs("</rect>\n", drawing->out);
	}
}

static void put_series(const struct drawing *drawing, size_t index)
{
	switch (drawing->plot->series[index].style) {
	case PLOT_BARS:
		put_bars(drawing, index);
		break;
	case PLOT_LINE_POINTS:
		put_polyline(drawing, index);
		put_points(drawing, index);
		break;
	case PLOT_LINE:
		put_polyline(drawing, index);
		break;
	case PLOT_POINTS:
		put_points(drawing, index);
		break;
	}
}

static void put_limit(const struct drawing *drawing, const struct plot_limit *limit)
{
	double x = limit->vertical ? at_x(drawing, limit->at) : LEFT;
	double y = limit->vertical ? TOP : at_y(drawing, limit->at);

	put_line(drawing->out, "limit", x, y, limit->vertical ? x : WIDTH - RIGHT,
		 limit->vertical ? BOTTOM : y);
}

/* ---- Legend ------------------------------------------------------------------------------ */

/* Where the next entry goes. Returns its line; one that does not fit begins a new one. */
static int next_entry(const char *name, double *left, int *line, double *x)
{
	double width = SIGN + CHARACTER * (double)plot_length(name);

	if (*left > 16 && *left + width > WIDTH - 16) {
		*left = 16;
		++*line;
	}
	*x = *left;
	*left += width + GAP;
	return *line;
}

/* Draws the legend, or only counts its lines if @out is NULL. */
static int put_legend(const struct plot *plot, FILE *out)
{
	double left = 16, x;
	int line = 0;

	for (size_t i = 0; i < plot->series_count; i++) {
		double y =
			LEGEND + LEGEND_LINE * next_entry(plot->series[i].name, &left, &line, &x);

		if (!out)
			continue;
		if (plot->series[i].style == PLOT_LINE || plot->series[i].style == PLOT_LINE_POINTS)
			fprintf(out,
				"<line class=\"line s%zu\" stroke-dasharray=\"%s\" x1=\"%.1f\" "
				"y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
				i, dashes_of(plot, i), x, y - 4.5, x + 24, y - 4.5);
		if (plot->series[i].style == PLOT_BARS) {
			fprintf(out,
				"<rect class=\"bar f%zu s%zu\" x=\"%.1f\" y=\"%.1f\" width=\"12\" "
				"height=\"12\"/>\n",
				i, i, x + 6, y - 10.5);
		} else if (plot->series[i].style != PLOT_LINE) {
			put_shape(out, i, x + 12, y - 4.5);
			fputs("/>\n", out);
		}
		put_label(out, "", x + SIGN, y, plot->series[i].name);
	}
	for (size_t i = 0; i < plot->limit_count; i++) {
		double y =
			LEGEND + LEGEND_LINE * next_entry(plot->limits[i].name, &left, &line, &x);

		if (!out)
			continue;
		put_line(out, "limit", x, y - 4.5, x + 24, y - 4.5);
		put_label(out, "", x + SIGN, y, plot->limits[i].name);
	}
	return line + 1;
}

/* ---- File -------------------------------------------------------------------------------- */

static void draw(const struct drawing *drawing)
{
	const struct plot *plot = drawing->plot;
	FILE *out = drawing->out;
	int height = LEGEND + LEGEND_LINE * put_legend(plot, NULL) - 6;

	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		"viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"plot-title plot-desc\">\n"
		"<title id=\"plot-title\">",
		WIDTH, height, WIDTH, height);
	put_text(out, plot->title);
	fputs("</title>\n", out);
	put_description(drawing);
	put_style(out);
	fprintf(out, "<rect class=\"paper\" width=\"%d\" height=\"%d\"/>\n", WIDTH, height);
	put_axes(drawing);
	for (size_t i = 0; i < plot->limit_count; i++)
		put_limit(drawing, &plot->limits[i]);
	for (size_t i = 0; i < plot->series_count; i++)
		put_series(drawing, i);
	put_legend(plot, out);
	fputs("</svg>\n", out);
}

int plot_svg(const char *path, const struct plot *plot, struct npu_error *err)
{
	struct drawing drawing = { .plot = plot };
	struct save save;
	int ret = plot_check(plot, err);

	if (!ret)
		ret = save_begin(&save, path, err);
	if (ret)
		return ret;
	drawing.out = save.file;
	plot_layout(plot, false, 9, &drawing.x);
	plot_layout(plot, true, 7, &drawing.y);
	draw(&drawing);
	return save_end(&save, err);
}

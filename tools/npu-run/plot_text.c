// SPDX-License-Identifier: MIT
/*
 * Draws charts with characters. A cell of a terminal is two dots wide and four high in Unicode's
 * braille patterns, and eight high in its block elements; in ASCII it is one dot.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "plot_axis.h"

#define MIN_WIDTH 40
#define MAX_WIDTH 400
#define MIN_HEIGHT 12
#define MAX_HEIGHT 200
#define DEFAULT_WIDTH 80
#define DEFAULT_HEIGHT 20
#define WIDEST_DEFAULT 110
#define INDENT 2
#define EIGHTHS 8
#define NOBODY (-1)

/*
 * struct cell - a character of the drawing
 * @glyph: What is in it, if it is not dots or a bar.
 * @dots: Braille, as Unicode numbers them.
 * @eighths: Height of a bar.
 * @owner: Series that gives the colour, or NOBODY.
 */
struct cell {
	const char *glyph;
	uint8_t dots;
	uint8_t eighths;
	int8_t owner;
};

struct canvas {
	const struct plot *plot;
	const struct plot_terminal *terminal;
	FILE *out;
	struct plot_range x, y;
	int columns, rows; /* of the drawing alone */
	int margin;	   /* left of it */
	int colour;	   /* of what is written: a series or NOBODY */
	struct cell *cells;
};

static const char *const unicode_markers[PLOT_MAX_SERIES] = {
	"●", "▲", "■", "◆", "○", "△", "□", "◇"
};
static const char *const ascii_markers[PLOT_MAX_SERIES] = {
	"o", "x", "*", "+", "@", "%", "$", "&"
};
static const char *const bars[EIGHTHS + 1] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
static const char *const ascii_bars[EIGHTHS + 1] = { " ", ".", ".", ".", ".", "#", "#", "#", "#" };
static const char colours[PLOT_MAX_SERIES][3] = { "36", "33", "35", "32", "34", "31", "96", "95" };

static int between(int value, int low, int high)
{
	return value < low ? low : value > high ? high : value;
}

static const char *marker(const struct canvas *canvas, size_t series)
{
	return canvas->terminal->unicode ? unicode_markers[series] : ascii_markers[series];
}

static const char *pick(const struct canvas *canvas, const char *unicode, const char *ascii)
{
	return canvas->terminal->unicode ? unicode : ascii;
}

/* ---- Drawing on the canvas --------------------------------------------------------------- */

static struct cell *cell_at(struct canvas *canvas, int column, int row)
{
	return &canvas->cells[row * canvas->columns + column];
}

/* From a place on an axis to one of @count cells or dots. */
static int position(double place, int count)
{
	int at = (int)(place * count);

	return at < 0 ? 0 : at >= count ? count - 1 : at;
}

static int column_of(const struct canvas *canvas, double x)
{
	return position(plot_place(&canvas->x, x), canvas->columns);
}

/* Rows are counted from above. */
static int row_of(const struct canvas *canvas, double y)
{
	return canvas->rows - 1 - position(plot_place(&canvas->y, y), canvas->rows);
}

static void draw_limit(struct canvas *canvas, const struct plot_limit *limit)
{
	int count = limit->vertical ? canvas->rows : canvas->columns;

	for (int i = 0; i < count; i++) {
		struct cell *cell = limit->vertical
					    ? cell_at(canvas, column_of(canvas, limit->at), i)
					    : cell_at(canvas, i, row_of(canvas, limit->at));

		cell->glyph = limit->vertical ? pick(canvas, "┆", ":") : pick(canvas, "╌", "-");
	}
}

/*
 * A bar of @from to @to eighths of a row, counted from below, in one column. Blocks stand on the
 * bottom of their row: what begins in its upper half begins a row higher, if it goes so far.
 */
static void draw_column(struct canvas *canvas, int column, int from, int to, int owner)
{
	int first = (from + EIGHTHS / 2) / EIGHTHS, last = (to - 1) / EIGHTHS;

	for (int row = first < last ? first : last; row <= last; row++) {
		struct cell *cell = cell_at(canvas, column, canvas->rows - 1 - row);
		int height = to - row * EIGHTHS < EIGHTHS ? to - row * EIGHTHS : EIGHTHS;

		if (cell->eighths < height)
			cell->eighths = (uint8_t)height;
		cell->owner = (int8_t)owner;
		cell->glyph = NULL;
	}
}

/* No bar is too narrow or too low to be seen. */
static void draw_bars(struct canvas *canvas, const struct plot_series *series, int owner)
{
	int all = canvas->rows * EIGHTHS;
	int base = (int)lround(plot_baseline(&canvas->y) * all);

	for (size_t i = 0; i + 1 < series->count; i++) {
		int first = column_of(canvas, series->points[i].x);
		double end = plot_place(&canvas->x, series->points[i + 1].x) * canvas->columns;
		int top;

		if (!plot_has_bar(&canvas->y, series->points[i].y))
			continue;
		top = (int)lround(plot_place(&canvas->y, series->points[i].y) * all);
		if (top == base)
			top += series->points[i].y < 0 ? -1 : 1;
		for (int column = first; column == first || column < (int)ceil(end - 1e-9);
		     column++)
			draw_column(canvas, column, top < base ? top : base,
				    top < base ? base : top, owner);
	}
}

/* @x and @y are counted in dots, from the lower left corner. */
static void draw_dot(struct canvas *canvas, int x, int y, int owner)
{
	static const uint8_t bits[4][2] = { { 0x40, 0x80 }, { 4, 0x20 }, { 2, 0x10 }, { 1, 8 } };
	bool unicode = canvas->terminal->unicode;
	struct cell *cell = unicode ? cell_at(canvas, x / 2, canvas->rows - 1 - y / 4)
				    : cell_at(canvas, x, canvas->rows - 1 - y);

	cell->dots |= unicode ? bits[y % 4][x % 2] : 1;
	cell->owner = (int8_t)owner;
	cell->glyph = NULL;
}

static void draw_line(struct canvas *canvas, const struct plot_point *from,
		      const struct plot_point *to, int owner)
{
	int width = canvas->columns * (canvas->terminal->unicode ? 2 : 1);
	int height = canvas->rows * (canvas->terminal->unicode ? 4 : 1);
	double x = plot_place(&canvas->x, from->x), y = plot_place(&canvas->y, from->y);
	double dx = plot_place(&canvas->x, to->x) - x, dy = plot_place(&canvas->y, to->y) - y;
	int steps = (int)ceil(fmax(fabs(dx) * width, fabs(dy) * height)) + 1;

	for (int i = 0; i <= steps; i++)
		draw_dot(canvas, position(x + dx * i / steps, width),
			 position(y + dy * i / steps, height), owner);
}

static void draw_marker(struct canvas *canvas, const struct plot_point *point, int owner)
{
	struct cell *cell = cell_at(canvas, column_of(canvas, point->x), row_of(canvas, point->y));

	cell->glyph = marker(canvas, (size_t)owner);
	cell->owner = (int8_t)owner;
}

/* A line without points gets a marker at its end, so that it can be told apart without colour. */
static void draw_series(struct canvas *canvas, size_t index)
{
	const struct plot_series *series = &canvas->plot->series[index];
	bool line = series->style == PLOT_LINE || series->style == PLOT_LINE_POINTS;

	if (series->style == PLOT_BARS) {
		draw_bars(canvas, series, (int)index);
		return;
	}
	for (size_t i = 1; i < series->count && line; i++)
		draw_line(canvas, &series->points[i - 1], &series->points[i], (int)index);
	for (size_t i = 0; i < series->count; i++)
		if (series->style != PLOT_LINE || i + 1 == series->count)
			draw_marker(canvas, &series->points[i], (int)index);
}

/* ---- Writing it out ---------------------------------------------------------------------- */

static void put_text(FILE *out, const char *text, size_t room)
{
	char bytes[5];

	while (room-- && plot_character(&text, bytes))
		fputs(bytes, out);
}

/* Changes the colour, if it is another. */
static void put_colour(struct canvas *canvas, int owner)
{
	if (!canvas->terminal->colour || canvas->colour == owner)
		return;
	if (owner == NOBODY)
		fputs("\033[0m", canvas->out);
	else
		fprintf(canvas->out, "\033[%sm", colours[owner]);
	canvas->colour = owner;
}

static void put_cell(struct canvas *canvas, const struct cell *cell)
{
	char braille[4] = { '\xe2', (char)(0xa0 | cell->dots >> 6),
			    (char)(0x80 | (cell->dots & 63)), '\0' };

	put_colour(canvas, cell->owner);
	if (cell->glyph)
		fputs(cell->glyph, canvas->out);
	else if (cell->dots)
		fputs(pick(canvas, braille, "."), canvas->out);
	else
		fputs(pick(canvas, bars[cell->eighths], ascii_bars[cell->eighths]), canvas->out);
}

/* Spaces at the end of a line are not written. */
static void put_row(struct canvas *canvas, int row)
{
	const char *label = "";
	int end = canvas->columns;

	for (size_t i = 0; i < canvas->y.tick_count; i++)
		if (row_of(canvas, canvas->y.ticks[i].at) == row)
			label = canvas->y.ticks[i].text;
	fprintf(canvas->out, "%*s %s", canvas->margin - 2, label,
		label[0] ? pick(canvas, "┤", "+") : pick(canvas, "│", "|"));
	for (; end > 0; end--) {
		const struct cell *cell = cell_at(canvas, end - 1, row);

		if (cell->glyph || cell->dots || cell->eighths)
			break;
	}
	for (int column = 0; column < end; column++)
		put_cell(canvas, cell_at(canvas, column, row));
	put_colour(canvas, NOBODY);
	fputc('\n', canvas->out);
}

static void put_x_axis(struct canvas *canvas)
{
	char line[MAX_WIDTH + 32];
	bool tick[MAX_WIDTH] = { false };
	int end = 0;

	memset(line, ' ', sizeof(line));
	for (size_t i = 0; i < canvas->x.tick_count; i++) {
		const struct plot_tick *t = &canvas->x.ticks[i];
		int length = (int)strlen(t->text), column = column_of(canvas, t->at);
		int first = between(canvas->margin + column - length / 2, 0, MAX_WIDTH);

		tick[column] = true;
		/* One that would touch the one before is left out, its tick is not. */
		if (end && first < end + 1)
			continue;
		memcpy(line + first, t->text, (size_t)length);
		end = first + length;
	}
	fprintf(canvas->out, "%*s%s", canvas->margin - 1, "", pick(canvas, "└", "+"));
	for (int i = 0; i < canvas->columns; i++)
		fputs(tick[i] ? pick(canvas, "┬", "+") : pick(canvas, "─", "-"), canvas->out);
	fprintf(canvas->out, "\n%.*s\n", end, line);
	if (canvas->plot->x.label) {
		int length = (int)plot_length(canvas->plot->x.label);
		int before = canvas->margin + (canvas->columns - length) / 2;

		fprintf(canvas->out, "%*s", before > INDENT ? before : INDENT, "");
		put_text(canvas->out, canvas->plot->x.label, SIZE_MAX);
		fputc('\n', canvas->out);
	}
}

/* An entry of the legend goes into the next line if it does not fit. */
static void put_entry(struct canvas *canvas, int *column, int owner, const char *sign,
		      const char *name)
{
	int length = (int)plot_length(sign) + 1 + (int)plot_length(name);

	if (*column && *column + 3 + length > canvas->terminal->width) {
		fputc('\n', canvas->out);
		*column = 0;
	}
	fprintf(canvas->out, "%*s", *column ? 3 : INDENT, "");
	*column += (*column ? 3 : INDENT) + length;
	put_colour(canvas, owner);
	fputs(sign, canvas->out);
	put_colour(canvas, NOBODY);
	fputc(' ', canvas->out);
	put_text(canvas->out, name, SIZE_MAX);
}

static void put_legend(struct canvas *canvas)
{
	const struct plot *plot = canvas->plot;
	int column = 0;

	for (size_t i = 0; i < plot->series_count; i++)
		put_entry(canvas, &column, (int)i,
			  plot->series[i].style == PLOT_BARS ? pick(canvas, "█", "#")
							     : marker(canvas, i),
			  plot->series[i].name);
	for (size_t i = 0; i < plot->limit_count; i++)
		put_entry(canvas, &column, NOBODY,
			  plot->limits[i].vertical ? pick(canvas, "┆", ":")
						   : pick(canvas, "╌╌", "--"),
			  plot->limits[i].name);
	fputc('\n', canvas->out);
}

static void put_heading(struct canvas *canvas)
{
	fprintf(canvas->out, "%*s", INDENT, "");
	put_text(canvas->out, canvas->plot->title, SIZE_MAX);
	fputs("\n\n", canvas->out);
	if (canvas->plot->y.label) {
		fprintf(canvas->out, "%*s", INDENT, "");
		put_text(canvas->out, canvas->plot->y.label, SIZE_MAX);
		fputc('\n', canvas->out);
	}
}

/* ---- Chart ------------------------------------------------------------------------------- */

/* Heading, axis and legend take seven lines, labels of y what the longest needs. */
static void lay_out(struct canvas *canvas)
{
	int width = between(canvas->terminal->width, MIN_WIDTH, MAX_WIDTH);
	size_t longest = 0;

	canvas->rows = between(canvas->terminal->height, MIN_HEIGHT, MAX_HEIGHT) - 7;
	plot_layout(canvas->plot, true, (unsigned int)between(canvas->rows / 3, 2, 10), &canvas->y);
	for (size_t i = 0; i < canvas->y.tick_count; i++)
		if (strlen(canvas->y.ticks[i].text) > longest)
			longest = strlen(canvas->y.ticks[i].text);
	canvas->margin = INDENT + (int)longest + 2;
	/* The last label of x may stand out by half its length. */
	canvas->columns = width - canvas->margin - 4;
	plot_layout(canvas->plot, false, (unsigned int)between(canvas->columns / 8, 2, 10),
		    &canvas->x);
}

int plot_text(FILE *out, const struct plot *plot, const struct plot_terminal *terminal,
	      struct npu_error *err)
{
	struct canvas canvas = { .plot = plot, .terminal = terminal, .out = out, .colour = NOBODY };
	int ret = plot_check(plot, err);
	size_t cells;

	if (ret)
		return ret;
	lay_out(&canvas);
	cells = (size_t)canvas.columns * (size_t)canvas.rows;
	canvas.cells = calloc(cells, sizeof(*canvas.cells));
	if (!canvas.cells)
		return error_set(err, -ENOMEM, "the chart does not fit into memory");
	for (size_t i = 0; i < cells; i++)
		canvas.cells[i].owner = NOBODY;

	for (size_t i = 0; i < plot->limit_count; i++)
		draw_limit(&canvas, &plot->limits[i]);
	for (size_t i = 0; i < plot->series_count; i++)
		draw_series(&canvas, i);
	put_heading(&canvas);
	for (int row = 0; row < canvas.rows; row++)
		put_row(&canvas, row);
	put_x_axis(&canvas);
	put_legend(&canvas);
	free(canvas.cells);
	return 0;
}

void plot_terminal(FILE *out, struct plot_terminal *terminal)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	const char *term = getenv("TERM"), *no_colour = getenv("NO_COLOR");
	bool tty = isatty(fileno(out));
	struct winsize size;

	*terminal = (struct plot_terminal){ .width = DEFAULT_WIDTH, .height = DEFAULT_HEIGHT };
	/* Wider than this, lines get so flat that a chart says less. */
	if (tty && !ioctl(fileno(out), TIOCGWINSZ, &size) && size.ws_col)
		terminal->width = between(size.ws_col, MIN_WIDTH, WIDEST_DEFAULT);
	terminal->colour = tty && term && strcmp(term, "dumb") && (!no_colour || !no_colour[0]);
	if (locale) {
		terminal->unicode = !strcmp(nl_langinfo_l(CODESET, locale), "UTF-8");
		freelocale(locale);
	}
}

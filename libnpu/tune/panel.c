// SPDX-License-Identifier: MIT
/*
 * Rounding of a panel: with compensation from column to column, then column by column again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "panel.h"

/* Scales that NPU_ROUND_RANGE_SEARCH tries, each smaller than the one before by 0.01 of the range.
 */
#define RANGES 80

/* ---- Memory ---------------------------------------------------------------------------- */

static bool solution_init(struct npu_solution *s, uint32_t k, uint32_t groups)
{
	s->q = calloc(k, sizeof(npu_lanes));
	s->e = calloc(k, sizeof(npu_lanes));
	s->scale = calloc(groups, sizeof(npu_lanes));
	s->zero_point = calloc(groups, sizeof(npu_lanes));
	return s->q && s->e && s->scale && s->zero_point;
}

static void solution_free(struct npu_solution *s)
{
	free(s->q);
	free(s->e);
	free(s->scale);
	free(s->zero_point);
}

int npu_panel_init(struct npu_panel *panel, uint32_t k, uint32_t groups, struct npu_error *err)
{
	bool ok;

	*panel = (struct npu_panel){
		.w = calloc(k, sizeof(npu_lanes)),
		.sum = calloc(k, sizeof(npu_lanes)),
		.column = calloc(k, sizeof(*panel->column)),
	};
	ok = solution_init(&panel->nearest, k, groups);
	ok = solution_init(&panel->best, k, groups) && ok;
	if (ok && panel->w && panel->sum && panel->column)
		return 0;
	npu_panel_free(panel);
	return npu_fail(err, -ENOMEM, "no memory for %d rows of %u weights", PANEL, k);
}

void npu_panel_free(struct npu_panel *panel)
{
	free(panel->w);
	free(panel->sum);
	free(panel->column);
	solution_free(&panel->nearest);
	solution_free(&panel->best);
}

/* ---- Grids ----------------------------------------------------------------------------- */

/* Squared error, weighted with the inputs, of rounding lane @l of @w to nearest. */
static double grid_error(const struct npu_problem *problem, const struct npu_round_desc *desc,
			 const npu_lanes *w, const uint32_t *column, uint32_t count, uint32_t l,
			 double scale, int32_t zero_point)
{
	const struct npu_grid grid = npu_grid(desc->bits, desc->symmetric);
	double error = 0;

	for (uint32_t i = 0; i < count; i++) {
		const double x = w[i][l];
		const int32_t q = npu_grid_round(grid, x / scale, zero_point);
		const double e = x - scale * (q - zero_point);

		error += problem->diagonal[column[i]] * e * e;
	}
	return error;
}

/* Makes the grid of lane @l for @count weights @w, which are at @column of the order. */
static void make_grid(const struct npu_problem *problem, const struct npu_round_desc *desc,
		      const npu_lanes *w, const uint32_t *column, uint32_t count, uint32_t l,
		      double *scale, double *zero_point)
{
	const int tries = desc->range == NPU_ROUND_RANGE_SEARCH ? RANGES : 1;
	double low = 0, high = 0, least = INFINITY;

	for (uint32_t i = 0; i < count; i++) {
		low = fmin(low, w[i][l]);
		high = fmax(high, w[i][l]);
	}
	for (int i = 0; i < tries; i++) {
		const double part = 1 - i * 0.01;
		int32_t zero;
		const double s = (double)npu_grid_scale(desc->bits, desc->symmetric, part * low,
							part * high, &zero);
		const double error =
			tries > 1 ? grid_error(problem, desc, w, column, count, l, s, zero) : 0;

		if (error < least) {
			least = error;
			*scale = s;
			*zero_point = zero;
		}
	}
}

static uint32_t group_length(const struct npu_problem *problem, const struct npu_round_desc *desc)
{
	return desc->group_size ? desc->group_size : problem->k;
}

/* The grids of all groups, from the weights as they are. */
static void make_grids(struct npu_panel *panel, const struct npu_problem *problem,
		       const struct npu_round_desc *desc)
{
	const uint32_t length = group_length(problem, desc);
	npu_lanes *w = panel->sum;

	for (uint32_t group = 0; group < npu_group_count(problem->k, length); group++) {
		uint32_t count = 0;

		for (uint32_t j = 0; j < problem->k; j++) {
			if (problem->order[j] / length != group)
				continue;
			memcpy(w[count], panel->w[j], sizeof(npu_lanes));
			panel->column[count++] = j;
		}
		for (uint32_t l = 0; l < PANEL; l++)
			make_grid(problem, desc, w, panel->column, count, l,
				  &panel->nearest.scale[group][l],
				  &panel->nearest.zero_point[group][l]);
	}
}

/*
 * The grid of the group that begins at column @first, from what its weights would become if none of
 * them was rounded: those that leave nothing of what earlier columns have left.
 */
static void remake_grid(struct npu_panel *panel, const struct npu_problem *problem,
			const struct npu_round_desc *desc, uint32_t first)
{
	const uint32_t k = problem->k, length = group_length(problem, desc);
	const uint32_t count = k - first < length ? k - first : length;
	/* Of columns that have not been rounded yet. */
	npu_lanes *e = panel->best.e + first, *w = panel->best.q + first;

	for (uint32_t i = 0; i < count; i++) {
		const double *r = problem->r + first + i;

		panel->column[i] = first + i;
		for (uint32_t l = 0; l < PANEL; l++) {
			double left = panel->sum[first + i][l];

			for (uint32_t j = 0; j < i; j++)
				left += r[(size_t)(first + j) * k] * e[j][l];
			e[i][l] = -left / r[(size_t)(first + i) * k];
			w[i][l] = panel->w[first + i][l] - e[i][l];
		}
	}
	for (uint32_t l = 0; l < PANEL; l++)
		make_grid(problem, desc, w, panel->column, count, l,
			  &panel->best.scale[first / length][l],
			  &panel->best.zero_point[first / length][l]);
}

/* ---- Rounding -------------------------------------------------------------------------- */

/* Rounds column @j to what is nearest to @target. */
static void round_column(const struct npu_panel *panel, struct npu_solution *s,
			 const struct npu_round_desc *desc, uint32_t group, uint32_t j,
			 const npu_lanes target)
{
	const struct npu_grid grid = npu_grid(desc->bits, desc->symmetric);

	for (uint32_t l = 0; l < PANEL; l++) {
		const double scale = s->scale[group][l], zero = s->zero_point[group][l];

		s->q[j][l] = npu_grid_round(grid, target[l] / scale, (int32_t)zero);
		s->e[j][l] = panel->w[j][l] - scale * (s->q[j][l] - zero);
	}
}

static void round_nearest(struct npu_panel *panel, const struct npu_problem *problem,
			  const struct npu_round_desc *desc)
{
	const uint32_t length = group_length(problem, desc);

	for (uint32_t j = 0; j < problem->k; j++)
		round_column(panel, &panel->nearest, desc, problem->order[j] / length, j,
			     panel->w[j]);
}

/* y += a * x */
static void add_lanes(npu_lanes y, double a, const npu_lanes x)
{
	for (uint32_t l = 0; l < PANEL; l++)
		y[l] += a * x[l];
}

static void round_compensated(struct npu_panel *panel, const struct npu_problem *problem,
			      const struct npu_round_desc *desc)
{
	const uint32_t k = problem->k, length = group_length(problem, desc);
	const bool remake = !desc->scale && desc->order == NPU_ROUND_IN_ORDER;
	struct npu_solution *s = &panel->best;

	memset(panel->sum, 0, k * sizeof(npu_lanes));
	for (uint32_t j = 0; j < k; j++) {
		const double *r = problem->r + (size_t)j * k;
		npu_lanes target;

		if (remake && j && j % length == 0)
			remake_grid(panel, problem, desc, j);
		for (uint32_t l = 0; l < PANEL; l++)
			target[l] = panel->w[j][l] + panel->sum[j][l] / r[j];
		round_column(panel, s, desc, problem->order[j] / length, j, target);
		for (uint32_t i = j + 1; i < k; i++)
			add_lanes(panel->sum[i], r[i], s->e[j]);
	}
}

/* ---- Coordinate descent ---------------------------------------------------------------- */

/* Sets column @j to its best value with all others as they are; true if that changed anything. */
static bool descend(struct npu_panel *panel, const struct npu_problem *problem,
		    const struct npu_round_desc *desc, uint32_t j)
{
	const double *h = problem->h + (size_t)j * problem->k;
	const uint32_t group = problem->order[j] / group_length(problem, desc);
	struct npu_solution *s = &panel->best;
	npu_lanes before, target, change;
	bool changed = false;

	memcpy(before, s->e[j], sizeof(before));
	for (uint32_t l = 0; l < PANEL; l++)
		target[l] = panel->w[j][l] - s->e[j][l] + panel->sum[j][l] / h[j];
	round_column(panel, s, desc, group, j, target);
	for (uint32_t l = 0; l < PANEL; l++) {
		change[l] = s->e[j][l] - before[l];
		changed = changed || change[l] != 0;
	}
	for (uint32_t i = 0; changed && i < problem->k; i++)
		add_lanes(panel->sum[i], h[i], change);
	return changed;
}

static void round_again(struct npu_panel *panel, const struct npu_problem *problem,
			const struct npu_round_desc *desc)
{
	const uint32_t k = problem->k;
	bool changed = true;

	/* Half of the gradient: h e. */
	memset(panel->sum, 0, k * sizeof(npu_lanes));
	for (uint32_t j = 0; j < k; j++)
		for (uint32_t i = 0; i < k; i++)
			add_lanes(panel->sum[j], problem->h[(size_t)j * k + i], panel->best.e[i]);
	for (uint32_t sweep = 0; changed && sweep < desc->sweeps; sweep++) {
		changed = false;
		for (uint32_t j = 0; j < k; j++)
			changed = descend(panel, problem, desc, j) || changed;
	}
}

void npu_panel_round(struct npu_panel *panel, const struct npu_problem *problem,
		     const struct npu_round_desc *desc)
{
	const uint32_t groups = npu_group_count(problem->k, desc->group_size);

	if (!desc->scale)
		make_grids(panel, problem, desc);
	round_nearest(panel, problem, desc);

	memcpy(panel->best.scale, panel->nearest.scale, groups * sizeof(npu_lanes));
	memcpy(panel->best.zero_point, panel->nearest.zero_point, groups * sizeof(npu_lanes));
	round_compensated(panel, problem, desc);
	if (desc->sweeps)
		round_again(panel, problem, desc);
}

void npu_panel_error(const struct npu_problem *problem, const npu_lanes *e, npu_lanes error)
{
	const uint32_t k = problem->k;

	memset(error, 0, sizeof(npu_lanes));
	for (uint32_t i = 0; i < k; i++) {
		const double *h = problem->h + (size_t)i * k;
		npu_lanes sum = { 0 };

		for (uint32_t j = i + 1; j < k; j++)
			add_lanes(sum, 2 * h[j], e[j]);
		add_lanes(sum, problem->diagonal[i], e[i]);
		for (uint32_t l = 0; l < PANEL; l++)
			error[l] += sum[l] * e[i][l];
	}
}

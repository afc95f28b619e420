/* SPDX-License-Identifier: MIT */
/*
 * Rows of weights side by side, [column][PANEL], so that what is done for one row is done for all
 * of them with vector instructions, and matrices of K x K are read once for all.
 */
#ifndef LIBNPU_TUNE_PANEL_H
#define LIBNPU_TUNE_PANEL_H

#include "tune.h"

#define PANEL 8

typedef double npu_lanes[PANEL];

/**
 * struct npu_problem - what all rows have in common; columns in the order of rounding
 * @k: Columns.
 * @order: Which column of the weights each one is.
 * @h: [k][k], the Hessian with damping, all of it.
 * @diagonal: [k], its diagonal without damping.
 * @r: [k][k], upper triangular, h = r r^T.
 */
struct npu_problem {
	uint32_t k;
	uint32_t *order;
	double *h;
	double *diagonal;
	double *r;
};

/* Errors: -EDOM @hessian is singular, -ENOMEM. */
int npu_problem_init(struct npu_problem *problem, const struct npu_hessian *hessian,
		     enum npu_round_order order, double damping, struct npu_error *err);
void npu_problem_free(struct npu_problem *problem);

/**
 * struct npu_solution - a way to round a panel
 * @q: [k], integers, kept as doubles.
 * @e: [k], weights less what q stands for.
 * @scale, @zero_point: [groups], the grid.
 */
struct npu_solution {
	npu_lanes *q;
	npu_lanes *e;
	npu_lanes *scale;
	npu_lanes *zero_point;
};

/**
 * struct npu_panel - a panel being rounded
 * @w: [k], weights; rows that are not there are zeros.
 * @nearest: Each weight rounded by itself, on the grid of the weights as they are.
 * @best: With compensation.
 * @sum: [k], what earlier columns have left in each column.
 * @column: [k], scratch.
 */
struct npu_panel {
	npu_lanes *w;
	struct npu_solution nearest;
	struct npu_solution best;
	npu_lanes *sum;
	uint32_t *column;
};

int npu_panel_init(struct npu_panel *panel, uint32_t k, uint32_t groups, struct npu_error *err);
void npu_panel_free(struct npu_panel *panel);

/* Rounds @panel->w both ways. A grid that is given is in @panel->nearest already. */
void npu_panel_round(struct npu_panel *panel, const struct npu_problem *problem,
		     const struct npu_round_desc *desc);

/* e H e^T for each row, with @diagonal for that of H. */
void npu_panel_error(const struct npu_problem *problem, const npu_lanes *e, npu_lanes error);

#endif /* LIBNPU_TUNE_PANEL_H */

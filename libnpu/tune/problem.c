// SPDX-License-Identifier: MIT
/*
 * The Hessian of a layer made ready for rounding: ordered, damped and factored.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "panel.h"

/* Partial sums of a dot product: a fixed order that vector instructions can follow. */
#define DOT 8

static double dot(const double *x, const double *y, uint32_t count)
{
	double part[DOT] = { 0 }, sum = 0;
	uint32_t i = 0;

	for (; i + DOT <= count; i += DOT)
		for (uint32_t j = 0; j < DOT; j++)
			part[j] += x[i + j] * y[i + j];
	for (; i < count; i++)
		sum += x[i] * y[i];
	for (uint32_t j = 0; j < DOT; j++)
		sum += part[j];
	return sum;
}

static double entry(const struct npu_hessian *hessian, uint32_t i, uint32_t j)
{
	return i < j ? hessian->h[(size_t)i * hessian->k + j]
		     : hessian->h[(size_t)j * hessian->k + i];
}

/* ---- Order ----------------------------------------------------------------------------- */

struct column {
	double diagonal;
	uint32_t index;
};

/* Larger ones first; of equals the first, so that every machine has one order. */
static int compare_columns(const void *a, const void *b)
{
	const struct column *x = a, *y = b;

	if (x->diagonal != y->diagonal)
		return x->diagonal < y->diagonal ? 1 : -1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int choose_order(const struct npu_hessian *hessian, enum npu_round_order order,
			uint32_t *index, struct npu_error *err)
{
	struct column *column = malloc(hessian->k * sizeof(*column));

	if (!column)
		return npu_fail(err, -ENOMEM, "no memory for %u columns", hessian->k);
	for (uint32_t i = 0; i < hessian->k; i++)
		column[i] = (struct column){ entry(hessian, i, i), i };
	if (order == NPU_ROUND_BY_ACTIVATION)
		qsort(column, hessian->k, sizeof(*column), compare_columns);
	for (uint32_t i = 0; i < hessian->k; i++)
		index[i] = column[i].index;
	free(column);
	return 0;
}

/* ---- Factor ---------------------------------------------------------------------------- */

/*
 * Makes the upper triangle of @a, a symmetric matrix, r with a = r r^T: Cholesky's method from the
 * last row to the first. Returns the row that has no pivot left, @k if all have.
 */
static uint32_t factor(double *a, uint32_t k)
{
	for (uint32_t i = k; i-- > 0;) {
		double *row = a + (size_t)i * k;
		const double diagonal = row[i];
		double pivot;

		for (uint32_t j = k; --j > i;) {
			const double *other = a + (size_t)j * k;

			row[j] = (row[j] - dot(row + j + 1, other + j + 1, k - 1 - j)) / other[j];
		}
		pivot = diagonal - dot(row + i + 1, row + i + 1, k - 1 - i);
		/* What is left of a dependent column are rounding errors. */
		if (!(pivot > diagonal * 1e-13))
			return i;
		row[i] = sqrt(pivot);
	}
	return k;
}

static void fill(struct npu_problem *problem, const struct npu_hessian *hessian, double damping)
{
	const uint32_t k = problem->k;
	double mean = 0;

	for (uint32_t i = 0; i < k; i++) {
		problem->diagonal[i] = entry(hessian, problem->order[i], problem->order[i]);
		mean += problem->diagonal[i] / k;
	}
	for (uint32_t i = 0; i < k; i++) {
		double *row = problem->h + (size_t)i * k;

		for (uint32_t j = 0; j < k; j++)
			row[j] = entry(hessian, problem->order[i], problem->order[j]);
		row[i] += damping * mean;
		/* A column without inputs stands alone, so any pivot will do. */
		if (problem->diagonal[i] == 0)
			row[i] = 1;
	}
	memcpy(problem->r, problem->h, (size_t)k * k * sizeof(*problem->r));
}

int npu_problem_init(struct npu_problem *problem, const struct npu_hessian *hessian,
		     enum npu_round_order order, double damping, struct npu_error *err)
{
	const uint32_t k = hessian->k;
	uint32_t bad;
	int ret;

	*problem = (struct npu_problem){
		.k = k,
		.order = malloc(k * sizeof(*problem->order)),
		.h = malloc((size_t)k * k * sizeof(*problem->h)),
		.diagonal = malloc(k * sizeof(*problem->diagonal)),
		.r = malloc((size_t)k * k * sizeof(*problem->r)),
	};
	if (!problem->order || !problem->h || !problem->diagonal || !problem->r)
		ret = npu_fail(err, -ENOMEM, "no memory for the Hessian of %u channels", k);
	else
		ret = choose_order(hessian, order, problem->order, err);
	if (ret)
		goto fail;

	fill(problem, hessian, damping);
	bad = factor(problem->r, k);
	if (bad < k) {
		ret = npu_fail(err, -EDOM,
			       "npu_round_weights: column %u of the inputs depends on others in "
			       "all %llu samples; take more samples or more damping than %g",
			       problem->order[bad], (unsigned long long)hessian->samples, damping);
		goto fail;
	}
	return 0;

fail:
	npu_problem_free(problem);
	return ret;
}

void npu_problem_free(struct npu_problem *problem)
{
	free(problem->order);
	free(problem->h);
	free(problem->diagonal);
	free(problem->r);
}

// SPDX-License-Identifier: MIT
/*
 * Error-compensating rounding of a matrix of weights, panel by panel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "panel.h"

#define MAX_SWEEPS 100

/* ---- Checks ---------------------------------------------------------------------------- */

static int check_grid(const struct npu_round_desc *desc, const int32_t *zero_point_out,
		      struct npu_error *err)
{
	const struct npu_grid grid = npu_grid(desc->bits, desc->symmetric);
	const uint64_t count = (uint64_t)desc->n * npu_group_count(desc->k, desc->group_size);

	if (!desc->symmetric && !zero_point_out)
		return npu_fail(err, -EINVAL,
				"npu_round_weights: no place for zero points given, which a grid "
				"that is not symmetric has");
	if (desc->zero_point && (!desc->scale || desc->symmetric))
		return npu_fail(err, -EINVAL,
				"npu_round_weights: zero_point goes with scale, and not with a "
				"symmetric grid");
	for (uint64_t i = 0; desc->zero_point && i < count; i++)
		if (desc->zero_point[i] < grid.min || desc->zero_point[i] > grid.max)
			return npu_fail(err, -EINVAL,
					"npu_round_weights: zero_point[%llu] is %d, not in %d to "
					"%d",
					(unsigned long long)i, desc->zero_point[i], grid.min,
					grid.max);
	return desc->scale ? npu_check_scales("npu_round_weights", desc->scale, count, err) : 0;
}

static int check_desc(const struct npu_hessian *hessian, const struct npu_round_desc *desc,
		      struct npu_error *err)
{
	if (desc->size != sizeof(*desc))
		return npu_fail(err, -EINVAL,
				"npu_round_desc.size is %zu, set it to sizeof(struct "
				"npu_round_desc), which is %zu",
				desc->size, sizeof(*desc));
	if (desc->k != hessian->k)
		return npu_fail(err, -EINVAL,
				"npu_round_weights: k is %u, but inputs had %u columns", desc->k,
				hessian->k);
	if (desc->bits < 2 || desc->bits > 8)
		return npu_fail(err, -EINVAL, "npu_round_weights: bits is %u, it must be 2 to 8",
				desc->bits);
	if (desc->range > NPU_ROUND_RANGE_SEARCH || desc->order > NPU_ROUND_BY_ACTIVATION)
		return npu_fail(err, -EINVAL,
				"npu_round_weights: range is %d and order %d, both must be values "
				"of their enum",
				(int)desc->range, (int)desc->order);
	if (!isfinite(desc->damping) || desc->damping < 0)
		return npu_fail(err, -EINVAL,
				"npu_round_weights: damping is %g, it must be 0 or more",
				desc->damping);
	if (desc->sweeps > MAX_SWEEPS)
		return npu_fail(err, -EINVAL, "npu_round_weights: sweeps is %u, %d is the most",
				desc->sweeps, MAX_SWEEPS);
	return npu_check_matrix("npu_round_weights", desc->w, desc->n, desc->k, err);
}

/* ---- Panels ---------------------------------------------------------------------------- */

/* Where results go. */
struct result {
	int8_t *q;
	float *scale;
	int32_t *zero_point;
};

static void load(struct npu_panel *panel, const struct npu_problem *problem,
		 const struct npu_round_desc *desc, uint32_t first, uint32_t rows)
{
	const uint32_t groups = npu_group_count(desc->k, desc->group_size);

	for (uint32_t l = 0; l < rows; l++) {
		const float *w = desc->w + (size_t)(first + l) * desc->k;
		const size_t at = (size_t)(first + l) * groups;

		for (uint32_t j = 0; j < desc->k; j++)
			panel->w[j][l] = (double)w[problem->order[j]];
		for (uint32_t g = 0; desc->scale && g < groups; g++) {
			panel->nearest.scale[g][l] = (double)desc->scale[at + g];
			panel->nearest.zero_point[g][l] =
				desc->zero_point ? desc->zero_point[at + g] : 0;
		}
	}
	/* Lanes without a row are rows of zeros. */
	for (uint32_t l = rows; l < PANEL; l++) {
		for (uint32_t j = 0; j < desc->k; j++)
			panel->w[j][l] = 0;
		for (uint32_t g = 0; desc->scale && g < groups; g++)
			panel->nearest.scale[g][l] = 1;
	}
}

static void store(const struct npu_panel *panel, const struct npu_problem *problem,
		  const struct npu_round_desc *desc, uint32_t first, uint32_t rows,
		  const struct result *result)
{
	const uint32_t groups = npu_group_count(desc->k, desc->group_size);
	npu_lanes nearest, best;

	npu_panel_error(problem, panel->nearest.e, nearest);
	npu_panel_error(problem, panel->best.e, best);
	for (uint32_t l = 0; l < rows; l++) {
		const struct npu_solution *s =
			best[l] <= nearest[l] ? &panel->best : &panel->nearest;
		const size_t at = (size_t)(first + l) * groups;
		int8_t *q = result->q + (size_t)(first + l) * desc->k;

		for (uint32_t j = 0; j < desc->k; j++)
			q[problem->order[j]] = (int8_t)s->q[j][l];
		for (uint32_t g = 0; g < groups; g++) {
			result->scale[at + g] = (float)s->scale[g][l];
			if (result->zero_point)
				result->zero_point[at + g] = (int32_t)s->zero_point[g][l];
		}
	}
}

int npu_round_weights(const struct npu_hessian *hessian, const struct npu_round_desc *desc,
		      int8_t *q, float *scale, int32_t *zero_point, struct npu_error *err)
{
	const struct result result = { q, scale, zero_point };
	struct npu_problem problem;
	struct npu_panel panel;
	int ret;

	if (!hessian || !desc || !q || !scale)
		return npu_fail(err, -EINVAL,
				"npu_round_weights: no statistics, no desc, or no place for the "
				"results given");
	ret = check_desc(hessian, desc, err);
	if (!ret)
		ret = check_grid(desc, zero_point, err);
	if (ret)
		return ret;

	ret = npu_problem_init(&problem, hessian, desc->order, desc->damping, err);
	if (ret)
		return ret;
	ret = npu_panel_init(&panel, desc->k, npu_group_count(desc->k, desc->group_size), err);
	if (ret)
		goto out;
	for (uint32_t first = 0; first < desc->n; first += PANEL) {
		const uint32_t rows = desc->n - first < PANEL ? desc->n - first : PANEL;

		load(&panel, &problem, desc, first, rows);
		npu_panel_round(&panel, &problem, desc);
		store(&panel, &problem, desc, first, rows, &result);
	}
	npu_panel_free(&panel);
out:
	npu_problem_free(&problem);
	return ret;
}

// SPDX-License-Identifier: MIT
/*
 * The choice of a precision for each layer.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../error.h"
#include "tune.h"

/**
 * struct choice - candidates and what has been chosen of them
 * @all: [layers][count].
 * @chosen: [layers].
 * @total: Their sums.
 */
struct choice {
	const struct npu_candidate *all;
	uint32_t layers, count;
	uint32_t *chosen;
	struct npu_candidate total;
};

/* One layer's change from what it has to another candidate. */
struct change {
	uint32_t layer, to;
	double error; /* more of it */
	double bytes; /* fewer of them */
};

static const struct npu_candidate *candidate(const struct choice *c, uint32_t layer, uint32_t which)
{
	return &c->all[(size_t)layer * c->count + which];
}

static struct change change_to(const struct choice *c, uint32_t layer, uint32_t to)
{
	const struct npu_candidate *from = candidate(c, layer, c->chosen[layer]);
	const struct npu_candidate *other = candidate(c, layer, to);

	return (struct change){ layer, to, other->error - from->error,
				(double)from->bytes - (double)other->bytes };
}

/*
 * Sums, in the order of layers, so that they do not depend on how the choice came about. Bytes
 * beyond what can be counted are beyond any limit, too.
 */
static void add_up(struct choice *c)
{
	c->total = (struct npu_candidate){ 0 };
	for (uint32_t i = 0; i < c->layers; i++) {
		c->total.error += candidate(c, i, c->chosen[i])->error;
		if (__builtin_add_overflow(c->total.bytes, candidate(c, i, c->chosen[i])->bytes,
					   &c->total.bytes))
			c->total.bytes = UINT64_MAX;
	}
}

/* Gives each layer its candidate of least error (or bytes), of equals the one with less of the
 * other. */
static void choose_least(struct choice *c, enum npu_budget what)
{
	for (uint32_t i = 0; i < c->layers; i++) {
		c->chosen[i] = 0;
		for (uint32_t j = 1; j < c->count; j++) {
			const struct change x = change_to(c, i, j);
			const double first = what == NPU_BUDGET_ERROR ? x.error : -x.bytes;
			const double second = what == NPU_BUDGET_ERROR ? -x.bytes : x.error;

			if (first < 0 || (first == 0 && second < 0))
				c->chosen[i] = j;
		}
	}
	add_up(c);
}

static bool within(const struct choice *c, enum npu_budget kind, double limit)
{
	return kind == NPU_BUDGET_BYTES ? (double)c->total.bytes <= limit : c->total.error <= limit;
}

static bool keeps(struct choice *c, const struct change *x, enum npu_budget kind, double limit)
{
	const uint32_t from = c->chosen[x->layer];
	bool kept;

	c->chosen[x->layer] = x->to;
	add_up(c);
	kept = within(c, kind, limit);
	c->chosen[x->layer] = from;
	add_up(c);
	return kept;
}

/*
 * Makes the change that saves bytes with the least error for each; with @kept only one that keeps
 * the budget. Returns false if there is none.
 */
static bool save(struct choice *c, enum npu_budget kind, double limit, bool kept)
{
	struct change best = { .bytes = 0 };

	for (uint32_t i = 0; i < c->layers; i++)
		for (uint32_t j = 0; j < c->count; j++) {
			const struct change x = change_to(c, i, j);

			if (!(x.bytes > 0) || (kept && !keeps(c, &x, kind, limit)))
				continue;
			if (best.bytes == 0 || x.error * best.bytes < best.error * x.bytes)
				best = x;
		}
	if (best.bytes == 0)
		return false;
	c->chosen[best.layer] = best.to;
	add_up(c);
	return true;
}

/* Makes the change that takes back the most error and keeps the budget of bytes. */
static bool take_back(struct choice *c, double limit)
{
	struct change best = { .error = 0 };

	for (uint32_t i = 0; i < c->layers; i++)
		for (uint32_t j = 0; j < c->count; j++) {
			const struct change x = change_to(c, i, j);

			if (x.error < best.error && keeps(c, &x, NPU_BUDGET_BYTES, limit))
				best = x;
		}
	if (best.error == 0)
		return false;
	c->chosen[best.layer] = best.to;
	add_up(c);
	return true;
}

static int choose(struct choice *c, enum npu_budget kind, double limit, struct npu_error *err)
{
	/* What the budget limits is at its least first, to see whether there is any way. */
	choose_least(c, kind == NPU_BUDGET_BYTES ? NPU_BUDGET_BYTES : NPU_BUDGET_ERROR);
	if (!within(c, kind, limit))
		return npu_fail(err, -ERANGE,
				"npu_choose_precision: the least %s of all layers is %g, above the "
				"budget of %g",
				kind == NPU_BUDGET_BYTES ? "size" : "error",
				kind == NPU_BUDGET_BYTES ? (double)c->total.bytes : c->total.error,
				limit);
	choose_least(c, NPU_BUDGET_ERROR);
	if (kind == NPU_BUDGET_ERROR) {
		while (save(c, kind, limit, true))
			;
		return 0;
	}
	while (!within(c, kind, limit) && save(c, kind, limit, false))
		;
	while (take_back(c, limit))
		;
	return 0;
}

int npu_choose_precision(const struct npu_candidate *candidates, uint32_t layers, uint32_t count,
			 enum npu_budget kind, double limit, uint32_t *chosen,
			 struct npu_candidate *total, struct npu_error *err)
{
	struct choice c = { .all = candidates, .layers = layers, .count = count };
	int ret;

	if (!candidates || !layers || !count || !chosen || !total)
		return npu_fail(
			err, -EINVAL,
			"npu_choose_precision: %u layers with %u candidates, or no place for "
			"the results given",
			layers, count);
	if ((kind != NPU_BUDGET_BYTES && kind != NPU_BUDGET_ERROR) || isnan(limit))
		return npu_fail(err, -EINVAL,
				"npu_choose_precision: the budget is of kind %d and %g, it must be "
				"of enum npu_budget and a number",
				(int)kind, limit);
	for (size_t i = 0; i < (size_t)layers * count; i++)
		if (!isfinite(candidates[i].error))
			return npu_fail(
				err, -EINVAL,
				"npu_choose_precision: layer %zu, candidate %zu has an error "
				"of %g",
				i / count, i % count, candidates[i].error);
	c.chosen = malloc(layers * sizeof(*c.chosen));
	if (!c.chosen)
		return npu_fail(err, -ENOMEM, "no memory for the choice of %u layers", layers);
	ret = choose(&c, kind, limit, err);
	if (!ret) {
		memcpy(chosen, c.chosen, layers * sizeof(*chosen));
		*total = c.total;
	}
	free(c.chosen);
	return ret;
}

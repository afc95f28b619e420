// SPDX-License-Identifier: MIT
/*
 * XNNPACK's fully connected operator for int8. It has no result of plain sums. Debian has snapshots
 * of it without version numbers; since 2023 there is a step of its own for the shape.
 */
#include <stdio.h>
#include <stdlib.h>

#include <xnnpack.h>

#include "contender.h"

struct xnnpack {
	xnn_operator_t op;
	pthreadpool_t pool;
	int8_t *result;
};

static void ok(enum xnn_status status, const char *what)
{
	must(status == xnn_status_success, what);
}

static void describe(char *text, size_t size)
{
	snprintf(text, size, "XNNPACK, a snapshot as Debian has it");
}

static xnn_operator_t make_operator(const struct problem *p)
{
	const float scale = 1.0f / (float)(1u << p->shift);
	xnn_operator_t op;

	ok(xnn_create_fully_connected_nc_qs8(p->k, p->n, p->k, p->n, 0, 1.0f, scale, p->w, NULL, 0,
					     1.0f, INT8_MIN, INT8_MAX, 0,
#ifdef XNNPACK_HAS_RESHAPE
					     NULL, NULL,
#endif
					     &op),
	   "XNNPACK: operator");
	return op;
}

static void bind(const struct xnnpack *self, const struct problem *p)
{
#ifdef XNNPACK_HAS_RESHAPE
	ok(xnn_reshape_fully_connected_nc_qs8(self->op, p->m, self->pool), "XNNPACK: shape");
	ok(xnn_setup_fully_connected_nc_qs8(self->op, p->a, self->result), "XNNPACK: operands");
#else
	ok(xnn_setup_fully_connected_nc_qs8(self->op, p->m, p->a, self->result, self->pool),
	   "XNNPACK: operands");
#endif
}

static void *create(const struct problem *p)
{
	struct xnnpack *self;

	if (p->result != RESULT_INT8)
		return NULL;
	self = calloc(1, sizeof(*self));
	must(self, "XNNPACK: no memory");
	ok(xnn_initialize(NULL), "XNNPACK: start");
	if (p->threads > 1)
		self->pool = pthreadpool_create(p->threads);
	self->result = big_alloc((size_t)p->m * p->n);
	self->op = make_operator(p);
	bind(self, p);
	return self;
}

static void run(void *ctx)
{
	struct xnnpack *self = ctx;

	ok(xnn_run_operator(self->op, self->pool), "XNNPACK: run");
}

static const void *output(const void *ctx)
{
	return ((const struct xnnpack *)ctx)->result;
}

static void destroy(void *ctx)
{
	struct xnnpack *self = ctx;

	xnn_delete_operator(self->op);
	if (self->pool)
		pthreadpool_destroy(self->pool);
	free(self->result);
	free(self);
}

const struct contender contender_xnnpack = {
	.name = "XNNPACK",
	.describe = describe,
	.create = create,
	.run = run,
	.output = output,
	.destroy = destroy,
};
